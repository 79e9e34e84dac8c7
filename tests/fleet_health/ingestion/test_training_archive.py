"""The archive: days that are over, each message once, and nothing lost when raw is cut or the job repeated."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fleet_health.contracts.raw import raw_schema
from fleet_health.ingestion.training_archive import archive_transform, archived
from fleet_health.profiles.loader import shipped_profile
from transforms.api import Pipeline
from transforms.verbs.testing.datastores import InMemoryDatastore
from transforms.verbs.testing.TransformRunner import TransformRunner

_FLEET = shipped_profile("refrigeration")
PROFILE = _FLEET.model_copy(update={"sensors": (_FLEET.sensor("humidity"),)})
RAW, ARCHIVE = (f"/Fleet/refrigeration/{name}" for name in ("raw_sensor_readings", "training_archive"))
Row = dict[str, Any]


def row(event: str, day: int, sequence: int = 1, hour: float = 0.0) -> Row:
    received = pd.Timestamp(f"2026-01-{day:02}T00:00:00Z") + pd.Timedelta(hours=hour)
    times = {"timestamp_device": received, "timestamp_ingested": received}
    of = {"device_id": "D", "_partition_key": "D", "unreadable": [], "humidity": 50.0}
    return {"event_id": event, "_sequence_number": sequence, **of, **times}


def frame(spark: SparkSession, *rows: Row) -> DataFrame:
    schema = raw_schema(PROFILE)
    table = pd.DataFrame(rows).reindex(columns=schema.fieldNames())
    unsaid = [column for column in table if table[column].isna().all()]
    table[unsaid] = table[unsaid].astype(object).where(table[unsaid].notna(), None)
    return spark.createDataFrame(table, schema)


def day_by_day(rows: DataFrame) -> list[tuple[str, date, int]]:
    return sorted(tuple(one) for one in rows.select("event_id", "date", "_sequence_number").collect())


@pytest.mark.nightly
def test_ended_days_give_each_message_once(spark: SparkSession) -> None:
    """The newest archived day is the 11th, and a reading may land a week after its day."""
    before = frame(spark, row("a", 11), row("b", 11)).withColumn("date", F.to_date("timestamp_ingested"))
    raw = frame(
        spark,
        *(row("a", 11), row("a", 12, 3), row("b", 12)),  # known, and sent again
        *(row("late", 4), row("too late", 3, 1, 23.99)),
        *(row("c", 12, 2), row("c", 13, 1, 23.99), row("c", 14, 0)),  # the copy with the lowest number of ended days
        row("open", 14),
    )
    added = archived(raw, before, PROFILE, 7)
    assert added is not None
    assert day_by_day(added) == [("c", date(2026, 1, 13), 1), ("late", date(2026, 1, 4), 1)]
    assert added.columns[-1] == "date"
    # the 12th is the day that goes on
    assert archived(raw.where("timestamp_ingested < '2026-01-13'"), before, PROFILE, 7) is None


class Archive:
    def __init__(self, spark: SparkSession) -> None:
        assert PROFILE.archive is not None
        self.spark, self.store = spark, InMemoryDatastore()
        self.job, pipeline = archive_transform(PROFILE, PROFILE.archive), Pipeline()
        pipeline.add_transforms(self.job)
        self.runner = TransformRunner(pipeline, self.store)

    def build(self, *rows: Row, cut: bool = False) -> list[tuple[str, date, int]]:
        """Adds rows to raw, or leaves these alone in it, and archives; what the archive holds then."""
        self.store.store_dataframe(RAW, frame(self.spark, *rows), append=not cut and RAW in self.store)
        self.runner.run(self.spark, self.job)
        return day_by_day(self.store.get_dataframe(ARCHIVE, self.spark))


@pytest.mark.nightly
def test_days_that_are_over_are_archived_once_and_stay(spark: SparkSession) -> None:
    archive = Archive(spark)
    first, second, third = (date(2026, 1, day) for day in (11, 12, 13))
    held = archive.build(row("a", 11, 2), row("a", 11, 1, 23.99), row("b", 11), row("open", 12))
    # a copy with the lower number was received later and stays, as in clean; today may still gain readings
    assert held == [("a", first, 1), ("b", first, 1)]
    # the second day ends: a message that was sent again in it is known, one that landed late is not
    held = archive.build(row("a", 12, 3), row("late", 11), row("far too late", 3), row("c", 13))
    known = [("a", first, 1), ("b", first, 1), ("late", first, 1), ("open", second, 1)]
    assert held == known
    # raw is cut to its newest days, which repeat a message twice: nothing is taken away and nothing added again
    again = archive.build(row("b", 12), row("b", 13), row("c", 13), row("d", 14), cut=True)
    assert again == sorted([*known, ("c", third, 1)])


@pytest.mark.nightly
def test_the_first_build_on_a_day_that_goes_on_makes_an_empty_archive(spark: SparkSession) -> None:
    assert Archive(spark).build(row("a", 11)) == []


def test_it_may_never_be_made_anew() -> None:
    assert PROFILE.archive is not None
    job = archive_transform(PROFILE, PROFILE.archive)
    assert job.incremental is not None
    assert (job.incremental.require_incremental, job.incremental.snapshot_inputs) == (True, ("raw",))
