"""The way of a refrigeration fleet from raw messages to alerts, composed of the functions that the transforms call.

One device is one case, so a single walk answers many. Without transactions, files and ledgers between the steps it
costs a quarter of what a build of the same fleet does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from fleet_health.alerting.alerts import device_alerts
from fleet_health.features.lateness import due
from fleet_health.features.runs import measure
from fleet_health.features.versions import all_versions, newest_versions
from fleet_health.ingestion import routing
from fleet_health.ingestion.cleansing import judge
from fleet_health.ingestion.deserialise import deserialise, malformed, readable
from fleet_health.ingestion.registry import registry_from_text
from fleet_health.model_input import prepared
from fleet_health.model_input.cohorts import with_cohorts
from fleet_health.profiles.loader import shipped_profile
from fleet_health.scoring.scores import model_scores
from fleet_health.training_data.assembly import learned_from, learning_windows, training_rows
from fleet_health.training_data.described import described_models
from model_training.training import train

_SHIPPED = shipped_profile("refrigeration")
_GUARD = _SHIPPED.alerting.guard
assert _GUARD is not None
_GUARDED = _SHIPPED.alerting.model_copy(update={"guard": _GUARD.model_copy(update={"enabled": True})})
PROFILE = _SHIPPED.model_copy(update={"alerting": _GUARDED})
"""As shipped, with the guard on that its YAML leaves to operations: two windows before anybody is woken."""


@dataclass(frozen=True)
class Measured:
    """Messages to windows: frames of Spark where the way goes on, of pandas where it ends."""

    registry: DataFrame
    judged: pd.DataFrame
    dead: pd.DataFrame
    features: DataFrame
    windows: pd.DataFrame


@dataclass(frozen=True)
class Scored:
    """Windows to alerts."""

    excluded: pd.DataFrame
    scores: pd.DataFrame
    alerts: pd.DataFrame

    def of(self, device: str) -> pd.DataFrame:
        """A device's scores in the order of time."""
        return self.scores[self.scores["device_id"] == device].sort_values("window_end", ignore_index=True)


def measured(spark: SparkSession, folder: Path, files: Sequence[str], registry: pd.DataFrame) -> Measured:
    """The first half of the way: landed files below ``folder`` and the asset system's rows to windows."""
    landed = spark.createDataFrame([(name,) for name in files], "path string").repartition(2)

    def open_file(path: str) -> Any:
        return (folder / path).open("rb")

    parsed = deserialise(landed, open_file, PROFILE).persist()
    known = registry_from_text(spark.createDataFrame(registry), PROFILE).persist()
    rows = judge(readable(parsed, PROFILE), known, PROFILE).persist()
    clean = routing.clean_rows(rows, PROFILE)
    landing = measure(clean, PROFILE, None)
    assert landing.watermark is not None
    versions = all_versions(clean, PROFILE, due(PROFILE, None, landing.watermark))
    features = newest_versions(versions, PROFILE).persist()
    verdicts = rows.select(
        *("event_id", "device_id", "timestamp_utc", "quality_flags", "sensor_null_count"), *("outcome", "reason")
    )
    dead = routing.dead_letters(rows, malformed(parsed))
    made = Measured(known, verdicts.toPandas(), dead.toPandas(), features, features.toPandas())
    rows.unpersist()
    parsed.unpersist()
    return made


def trained(way: Measured, devices: Sequence[str]) -> Any:
    """A forest that has seen the windows of ``devices`` and no other."""
    own = way.features.where(way.features["device_id"].isin(*devices))
    rows = with_cohorts(own, way.registry, PROFILE.cohorts)
    learning = learning_windows(rows, PROFILE).rows
    described = described_models(learning.where(learned_from()).toPandas(), PROFILE, "test")
    vectors = training_rows(learning, own, described.constants, "test", PROFILE)
    of_length = vectors.where(vectors["window_duration_minutes"] == PROFILE.model.window_duration_minutes)
    return train(of_length.toPandas(), described.statistics, PROFILE)


def scored(way: Measured, model: Any) -> Scored:
    """The second half of the way: windows to vectors, scores and alerts."""
    rows = with_cohorts(way.features, way.registry, PROFILE.cohorts)
    vectors = prepared.judged(rows, model, PROFILE).persist()
    excluded = prepared.model_input_exclusions(vectors).toPandas()
    scores = model_scores(prepared.model_input(vectors), way.features, model).persist()
    alerts = device_alerts(scores, way.registry, PROFILE)
    made = Scored(excluded, scores.toPandas(), alerts.toPandas())
    scores.unpersist()
    vectors.unpersist()
    return made
