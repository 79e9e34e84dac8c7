"""The way of a refrigeration fleet from raw messages to alerts, composed of the functions that the transforms call.

One device is one case, so a single walk answers many. As in a build each step reads what the one before stored, or
Spark would plan the whole way anew with every step; transactions, checks and ledgers are left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import types as T
from stored_rows import as_spark_hands_over

from fleet_health.alerting.alerts import device_alerts
from fleet_health.contracts.raw import parsed_schema
from fleet_health.features.lateness import due
from fleet_health.features.newest import newest_versions
from fleet_health.features.versions import all_versions
from fleet_health.ingestion import routing
from fleet_health.ingestion.cleansing import judge
from fleet_health.ingestion.deserialise import malformed, parse_file, readable
from fleet_health.model_input import prepared
from fleet_health.model_input.cohorts import with_cohorts
from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.model import Profile
from fleet_health.scoring.scores import model_scores
from fleet_health.training_data.assembly import learned_from, learning_windows, training_rows
from fleet_health.training_data.described import described_models
from model_training.training import train
from transforms.api import IncrementalTransformInput
from transforms.api._arrow import arrow_schema
from transforms.verbs.testing._memory_ports import MemoryReadPort
from transforms.verbs.testing._parts import Part

_SHIPPED = shipped_profile("refrigeration")
_GUARD = _SHIPPED.alerting.guard
assert _GUARD is not None
_GUARDED = _SHIPPED.alerting.model_copy(update={"guard": _GUARD.model_copy(update={"enabled": True})})
PROFILE = _SHIPPED.model_copy(update={"alerting": _GUARDED})
"""As shipped, with the guard on that its YAML leaves to operations: two windows before anybody is woken."""


@dataclass(frozen=True)
class Stored:
    """``stored(frame)``: the same rows from files, so that whatever follows knows nothing of how they were made."""

    spark: SparkSession
    folder: Path
    steps: list[Path] = field(default_factory=list)

    def __call__(self, frame: DataFrame) -> DataFrame:
        self.steps.append(self.folder / f"step-{len(self.steps)}")
        frame.coalesce(1).write.parquet(str(self.steps[-1]))
        return self.spark.read.schema(frame.schema).parquet(str(self.steps[-1]))

    def rows(self, *columns: str) -> pd.DataFrame:
        """Of the newest step."""
        return as_spark_hands_over(pq.read_table(self.steps[-1], columns=list(columns) or None).to_pandas())

    def as_input(self, frame: DataFrame) -> IncrementalTransformInput:
        """The rows as a transform gets them: with the files that they lie in."""
        schema = self(frame).schema
        return IncrementalTransformInput(
            MemoryReadPort("clean", added=[Part(None, self.steps[-1], schema)]), self.spark
        )


@dataclass(frozen=True)
class Measured:
    """Messages to windows: frames of Spark where the way goes on, of pandas where it ends."""

    stored: Stored
    registry: DataFrame
    judged: pd.DataFrame
    clean: DataFrame
    malformed: DataFrame
    features: DataFrame
    windows: pd.DataFrame
    schemas: dict[str, T.StructType]


@dataclass(frozen=True)
class Scored:
    """Windows to alerts."""

    vectors: DataFrame
    scores: pd.DataFrame
    alerts: pd.DataFrame
    schemas: dict[str, T.StructType]

    def of(self, device: str) -> pd.DataFrame:
        """A device's scores in the order of time."""
        return self.scores[self.scores["device_id"] == device].sort_values("window_end", ignore_index=True)


def measured(stored: Stored, landed: Path, files: Sequence[str], registry: DataFrame) -> Measured:
    """The first half of the way: files below ``landed`` and the registry to windows."""
    spark = stored.spark
    messages = parsed(stored, landed, files)
    raw, unread = readable(messages, PROFILE), malformed(messages)
    with _compiled(spark):
        rows = stored(judge(raw, registry, PROFILE))
    verdicts = stored.rows(
        *("device_id", "timestamp_utc", "timestamp_ingested"),
        *("quality_flags", "sensor_null_count", "outcome", "reason"),
    )
    clean = stored.as_input(routing.clean_rows(rows, PROFILE))
    kept = spark.read.schema(clean.dataframe().schema).parquet(str(stored.steps[-1]))
    watermark = verdicts.loc[verdicts["outcome"] == "CLEAN", "timestamp_ingested"].max()
    dues = due(PROFILE, None, (watermark - pd.Timestamp(0)) // pd.Timedelta(microseconds=1))
    versions = all_versions(spark, clean, PROFILE, dues)
    features = stored(newest_versions(versions, PROFILE))
    frames = {
        "raw_sensor_readings": raw,
        "malformed_messages": unread,
        "device_registry": registry,
        "clean_sensor_readings": kept,
        "quarantine_sensor_readings": routing.quarantined_rows(rows, PROFILE),
        "feature_versions": versions,
        "device_features": features,
    }
    return Measured(stored, registry, verdicts, kept, unread, features, stored.rows(), schemas(frames))


def schemas(frames: dict[str, DataFrame]) -> dict[str, T.StructType]:
    """Dataset -> what the way hands on as its rows."""
    return {name: frame.schema for name, frame in frames.items()}


def parsed(stored: Stored, landed: Path, files: Sequence[str]) -> DataFrame:
    """Parsed here, by what the executors call: to send few lines through Spark costs more than to read them."""
    schema = parsed_schema(PROFILE)
    columns = arrow_schema(schema)
    stored.folder.mkdir()
    target = stored.folder / "parsed.parquet"
    with pq.ParquetWriter(target, columns) as out:
        for name in files:
            with (landed / name).open("rb") as stream:
                for frame in parse_file(stream, name, PROFILE):
                    out.write_table(pa.Table.from_pandas(frame, columns, preserve_index=False))
    return stored.spark.read.schema(schema).parquet(str(target))


@contextmanager
def _compiled(spark: SparkSession) -> Iterator[None]:
    """Twenty thousand rows with a hundred expressions each are worth the Java that tests do without by day."""
    before = spark.conf.get("spark.sql.codegen.factoryMode", "FALLBACK")
    spark.conf.set("spark.sql.codegen.factoryMode", "FALLBACK")
    try:
        yield
    finally:
        spark.conf.set("spark.sql.codegen.factoryMode", before)


def trained(way: Measured, devices: Sequence[str]) -> Any:
    """A forest that has seen the windows of ``devices`` and no other."""
    own = way.features.where(way.features["device_id"].isin(*devices))
    rows = with_cohorts(own, way.registry, PROFILE.cohorts)
    learning = way.stored(learning_windows(rows, PROFILE).rows)
    described = described_models(learning.where(learned_from()).toPandas(), PROFILE, "test")
    length = PROFILE.model.window_duration_minutes
    rows = training_rows(learning, own, {length: described.constants[length]}, "test", PROFILE)
    return train(rows.toPandas(), described.statistics, PROFILE)


def scored(way: Measured, model: Any, profile: Profile = PROFILE) -> Scored:
    """The second half of the way: windows to vectors, scores and alerts."""
    rows = with_cohorts(way.features, way.registry, profile.cohorts)
    vectors = way.stored(prepared.judged(rows, model, profile))
    frames = {
        "model_input": prepared.model_input(vectors),
        "model_input_exclusions": prepared.model_input_exclusions(vectors),
    }
    frames["model_scores"] = scores = way.stored(model_scores(frames["model_input"], way.features, model))
    scored = way.stored.rows()
    frames["device_alerts"] = alerts = device_alerts(scores, way.registry, profile)
    return Scored(vectors, scored, alerts.toPandas(), schemas(frames))
