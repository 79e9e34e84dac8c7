"""Windows before failures: two days of them, when they are settled, once per event."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.labels import LABEL_SCHEMA
from fleet_health.contracts.schemas import schema_of, stored_schema
from fleet_health.feature_store.exemplars import Report, events_of, exemplars, new_failures, settled_after
from fleet_health.feature_store.transforms import exemplars_transform
from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.model import Profile
from fleet_health.profiles.records import Exemplars
from mirror.checks import CheckSubject, evaluate
from transforms.api import Pipeline
from transforms.verbs.testing.datastores import InMemoryDatastore
from transforms.verbs.testing.TransformRunner import TransformRunner

PROFILE: Profile = shipped_profile("refrigeration").model_copy(
    update={
        "features": shipped_profile("refrigeration").features[-3:],
        "exemplars": Exemplars(reason="failures are few"),
    }
)
FAILED = pd.Timestamp("2026-03-10T12:00:00Z")
HOUR = pd.Timedelta(hours=1)


def window(device: str, hours: float, minutes: int = 60) -> dict[str, Any]:
    """One that ends so many hours after the failure."""
    end = FAILED + hours * HOUR
    start = end - pd.Timedelta(minutes=minutes)
    times = {"window_start": start, "window_end": end, "window_duration_minutes": minutes, "date": start.date()}
    counts = {"sensor_completeness": 1.0, "quality_flag_count": 0, "reading_count": minutes}
    return {"device_id": device, **times, **counts, "computed_at": end + HOUR}


def failure(device: str, hours: float = 0.0, **told: Any) -> dict[str, Any]:
    at = FAILED + hours * HOUR
    said = {"label_type": "failure_confirmed", "label_source": "field_engineer", "label_confidence": 0.9}
    return {"device_id": device, "event_timestamp": at, **said, "labeled_at": at + HOUR, **told}


def frame(spark: SparkSession, rows: list[dict[str, Any]], schema: Any) -> DataFrame:
    table = pd.DataFrame(rows).reindex(columns=schema.fieldNames())
    return spark.createDataFrame(table.astype(object).where(table.notna(), None), schema)


@pytest.mark.nightly
def test_each_settled_failure_is_copied_once_with_the_two_days_before_it(spark: SparkSession) -> None:
    assert settled_after(PROFILE) == 48 * HOUR + pd.Timedelta(minutes=20)
    windows = [window("D1", hours) for hours in (-49, -48, -0.5, 0, 0.5)]
    windows += [window("D1", -12, 1440), window("D1", -48, 1440), window("D2", -1), window("D2", 100)]
    features = frame(spark, windows, stored_schema("device_features", PROFILE))
    labels = [
        failure("D1", label_confidence=0.5, failure_mode="fan"),
        failure("D1", label_source="operator_feedback", failure_mode="leak"),
        failure("D1", label_source="maintenance_system", label_confidence=1.0),  # the same event, mode not told
        failure("D2", label_type="planned_maintenance"),
        failure("D2", 60),  # its daily window may still change
        failure("D2", -60, labeled_at=FAILED + 1000 * HOUR),  # not known yet
        failure("D3"),  # was silent
        failure("D4"),
    ]
    schema = schema_of("failure_exemplars", PROFILE)
    before = frame(spark, [{"device_id": "D4", "failure_event_at": FAILED}], schema)
    found = new_failures(frame(spark, labels, LABEL_SCHEMA), features, before, PROFILE)
    assert found is not None
    rows = exemplars(found, features, PROFILE)
    assert rows.schema.names == schema.names
    kept = rows.toPandas().sort_values(["window_duration_minutes", "window_end"])
    assert kept["window_end"].dt.tz_localize("UTC").tolist() == [
        FAILED + hours * HOUR for hours in (-48, -0.5, 0, -48, -12)
    ]
    told = kept[["device_id", "failure_event_at", "failure_mode", "archived_at"]].drop_duplicates()
    naive = [time.tz_localize(None) for time in (FAILED, FAILED + 101 * HOUR)]
    assert told.to_numpy().tolist() == [["D1", naive[0], "leak", naive[1]]]


@pytest.mark.nightly
def test_the_job_adds_an_event_once_and_what_it_writes_keeps_its_contract(spark: SparkSession) -> None:
    job, pipeline, store = exemplars_transform(PROFILE), Pipeline(), InMemoryDatastore()
    pipeline.add_transforms(job)
    runner, root = TransformRunner(pipeline, store), "/Fleet/refrigeration/"
    windows = [window("D1", -48), window("D1", 0), window("D1", 90)]
    features = frame(spark, windows, stored_schema("device_features", PROFILE))
    store.store_dataframe(root + "device_features", features)
    for labels in ([], [failure("D1")], [failure("D1"), failure("D2")], []):
        store.store_dataframe(root + "label_events", frame(spark, labels, LABEL_SCHEMA))
        runner.run(spark, job)
    kept = store.get_dataframe(root + "failure_exemplars", spark)
    assert kept.count() == 2
    subject = CheckSubject("kept", kept.schema, lambda: kept, files=(), references={})
    results = evaluate(checks_of("failure_exemplars", PROFILE), subject, spark=spark, now=FAILED.to_pydatetime())
    assert [result.name for result in results if result.outcome != "PASS"] == []
    late = kept.withColumn("failure_event_at", F.expr("failure_event_at + INTERVAL 1 SECOND"))
    subject = CheckSubject("late", late.schema, lambda: late, files=(), references={})
    results = evaluate(checks_of("failure_exemplars", PROFILE), subject, spark=spark, now=FAILED.to_pydatetime())
    assert [result.name[:6] for result in results if result.outcome != "PASS"] == ["FEX-02"]


def test_several_reports_are_one_event() -> None:
    hour = 3_600_000_000

    def told(hours: float, source: str = "field_engineer", mode: str | None = None, sure: float = 0.9) -> Report:
        return Report("D", round(hours * hour), source, mode, sure)

    order = "maintenance_system"
    at_once = events_of([told(0, mode="fan", sure=0.5), told(0, mode="leak"), told(0, order, "motor", 0.8)], [])
    assert at_once == [("D", 0, "leak")]
    # a consequence is no failure of its own, nor is what follows from that; 48 hours later nothing is one any more
    assert events_of([told(30), told(0), told(78), told(126.1)], []) == [
        ("D", 0, None),
        ("D", round(126.1 * hour), None),
    ]
    # an order that begins the day gives way to whoever saw the unit in the course of it
    assert events_of([told(0, order), told(10, mode="fan")], []) == [("D", 10 * hour, "fan")]
    assert events_of([told(0, order), told(49)], []) == [("D", 0, None), ("D", 49 * hour, None)]
    # what came to be known after a copy was made adds no second one
    assert events_of([told(-48), told(90)], [("D", 0), ("E", 90 * hour)]) == [("D", 90 * hour, None)]


def test_copies_are_never_made_anew() -> None:
    job = exemplars_transform(PROFILE)
    assert job.incremental is not None
    assert (job.incremental.require_incremental, job.incremental.snapshot_inputs) == (True, ("labels", "features"))
