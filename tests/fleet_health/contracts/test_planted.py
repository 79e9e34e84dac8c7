"""Rows that break a contract are caught by the check of their rule, and by no other."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.schemas import stored_schema
from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("refrigeration")
NOW = pd.Timestamp("2026-03-10T12:00:00Z")
HOUR = pd.Timedelta(hours=1)


def judged(spark: SparkSession, dataset: str, rows: list[dict[str, Any]], ids: Collection[str]) -> dict[str, Any]:
    """Rule id -> result of the checks of these rules on rows in the shape of the contract."""
    from mirror.checks import CheckSubject, evaluate

    schema = stored_schema(dataset, PROFILE)
    table = pd.DataFrame(rows).reindex(columns=schema.fieldNames())
    table = table.astype({name: "object" for name in table if table[name].isna().any()})
    frame = spark.createDataFrame(table.where(table.notna(), None), schema)
    subject = CheckSubject(dataset, schema, lambda: frame, files=(), references={})
    checks = [check for check in checks_of(dataset, PROFILE) if check.name[:6] in ids]
    assert len(checks) == len(ids)
    return {r.name[:6]: r for r in evaluate(checks, subject, spark=spark, now=datetime(2026, 1, 1, tzinfo=UTC))}


def breaking(results: dict[str, Any], column: str) -> dict[str, list[Any]]:
    """Rule id -> what the offending rows say in ``column``; rules that hold are left out."""
    return {rule: sorted(row[column] for row in r.offending) for rule, r in results.items() if r.outcome != "PASS"}


@pytest.mark.case("ING-BI-07")
def test_999_degrees_in_clean_stop_the_build(spark: SparkSession) -> None:
    healthy = {s.name: True if s.type == "boolean" else (s.min + s.max) / 2 for s in PROFILE.sensors}  # type: ignore[operator]
    rows = [
        {"event_id": "healthy", **healthy},
        {"event_id": "at the limits", **healthy, "temperature_evaporator": 30.0, "humidity": 0.0},
        {"event_id": "silent", **dict.fromkeys(healthy)},
        {"event_id": "glowing", **healthy, "temperature_evaporator": 999.0},
    ]
    rows = [{**row, "quality_flags": [], "sensor_null_count": 0} for row in rows]
    rows[1]["quality_flags"] = ["DEVICE_UNKNOWN"]
    rules = [*(f"CLN-{n:02d}" for n in range(5, 18)), "CLN-21"]
    results = judged(spark, "clean_sensor_readings", rows, rules)
    assert breaking(results, "event_id") == {"CLN-05": ["glowing"], "CLN-21": ["at the limits"]}
    assert results["CLN-05"].blocks


@pytest.fixture(scope="module")
def windows(spark: SparkSession) -> dict[str, Any]:
    """Healthy windows of every length, an inverted one, one of 30 minutes, one that is there twice, ..."""
    said = {f.name: 1.0 if f.sensor or f.of else 0 for f in PROFILE.features}
    said |= {"reading_count": 15, "sensor_completeness": 1.0, "temp_evaporator_max": 1.0}
    rows = [
        {"device_id": f"healthy {minutes}", "window_duration_minutes": minutes, "window_end": NOW + minutes * HOUR / 60}
        for minutes in PROFILE.windows_minutes
    ]
    rows += [{"device_id": "inverted", "window_duration_minutes": 15, "window_end": NOW - HOUR / 4}]
    rows += [{"device_id": "of thirty", "window_duration_minutes": 30, "window_end": NOW + HOUR / 2}]
    rows += [{"device_id": "twice", "window_duration_minutes": 60, "window_end": NOW + HOUR}] * 2
    rows += [
        {
            "device_id": "unordered",
            "window_duration_minutes": 15,
            "window_end": NOW + HOUR / 4,
            "temp_evaporator_mean": 1.1,
        }
    ]
    rows += [
        {
            "device_id": "unmeasured",
            "window_duration_minutes": 15,
            "window_end": NOW + HOUR / 4,
            "temp_evaporator_max": None,
        }
    ]
    rows = [{**said, "window_start": NOW, "computed_at": NOW + 48 * HOUR, **row} for row in rows]
    return judged(spark, "device_features", rows, ["FEA-02", "FEA-03", "FEA-04", "FEA-09", "FEA-19"])


@pytest.mark.case("FEN-BI-03")
def test_an_inverted_window_stops_the_build(windows: dict[str, Any]) -> None:
    assert windows["FEA-04"].blocks
    assert breaking(windows, "device_id")["FEA-04"] == ["inverted", "of thirty"]


@pytest.mark.case("FEN-BI-04")
def test_a_window_of_thirty_minutes_stops_the_build(windows: dict[str, Any]) -> None:
    assert windows["FEA-03"].blocks
    assert breaking(windows, "device_id")["FEA-03"] == ["of thirty"]


@pytest.mark.case("FST-BI-03")
def test_a_window_that_is_there_twice_stops_the_build(windows: dict[str, Any]) -> None:
    assert windows["FEA-02"].blocks
    assert {row["device_id"] for row in windows["FEA-02"].offending} == {"twice"}


def test_an_average_above_its_maximum_stops_the_build_and_a_missing_one_does_not(windows: dict[str, Any]) -> None:
    assert breaking(windows, "device_id")["FEA-09"] == ["unordered"]
    assert windows["FEA-19"].outcome == "PASS"


@pytest.mark.case("FST-BI-04")
def test_a_label_of_an_unknown_type_is_refused(spark: SparkSession) -> None:
    label = {"label_type": "failure_confirmed", "label_source": "field_engineer", "failure_mode": "fan"}
    rows = [
        {**label, "device_id": "known"},
        {**label, "device_id": "unknown", "label_type": "exploded"},
        {**label, "device_id": "without mode", "failure_mode": None},
        {**label, "device_id": "by a system", "failure_mode": None, "label_source": "maintenance_system"},
    ]
    results = judged(spark, "label_events", rows, ["LBL-02", "LBL-03", "LBL-07"])
    assert breaking(results, "device_id") == {"LBL-02": ["unknown"], "LBL-07": ["without mode"]}
    assert (results["LBL-02"].blocks, results["LBL-07"].blocks) == (True, False)


@pytest.mark.nightly
def test_labels_sizes_and_gaps_of_training_rows(spark: SparkSession) -> None:
    nan = float("nan")
    row = {"feature_vector": [1.0, 2.0], "feature_names": ["a", "b"], "window_end": NOW, "label_delay_buffer_hours": 24}
    label = {"label": "pre_failure", "label_source": "maintenance_record"}
    rows = [
        {**row, "device_id": "without label"},
        {**row, **label, "device_id": "in time", "label_timestamp": NOW + 24 * HOUR + pd.Timedelta(microseconds=1)},
        {**row, **label, "device_id": "too near", "label_timestamp": NOW + 24 * HOUR},
        {**row, **label, "device_id": "near", "label_timestamp": NOW + 7 * HOUR, "label_delay_buffer_hours": 6},
        {**row, "device_id": "odd buffer", "label_delay_buffer_hours": 5},
        {**row, "device_id": "without time", **label},
        {**row, "device_id": "short", "feature_vector": [1.0]},
        {**row, "device_id": "null", "feature_vector": [1.0, None]},
        {**row, "device_id": "nan", "feature_vector": [1.0, nan]},
    ]
    results = judged(spark, "training_data", rows, ["TRN-02", "TRN-03", "TRN-04", "TRN-05", "TRN-06"])
    assert breaking(results, "device_id") == {
        "TRN-02": ["odd buffer", "too near"],
        "TRN-03": ["without time"],
        "TRN-05": ["short"],
        "TRN-06": ["nan", "null"],
    }


@pytest.mark.nightly
def test_scores_flags_and_contributors_tell_one_story(spark: SparkSession) -> None:
    row = {"anomaly_score": 0.5, "threshold_used": 0.5, "anomaly_flag": False, "model_id": "isolation_forest_v1"}
    rows = [
        {**row, "score_id": "at the threshold"},
        {**row, "score_id": "flagged", "anomaly_flag": True},
        {**row, "score_id": "quiet", "anomaly_score": 0.6},
        {**row, "score_id": "none", "anomaly_score": None},
        {**row, "score_id": "infinite", "anomaly_score": float("inf"), "anomaly_flag": True},
        {**row, "score_id": "shadow", "model_id": "shadow_isolation_forest_v1"},
        {**row, "score_id": "paired", "top_contributors": ["a"], "contributor_scores": [1.0]},
        {**row, "score_id": "unpaired", "top_contributors": ["a"], "contributor_scores": [1.0, 2.0]},
        {**row, "score_id": "six", "top_contributors": list("abcdef"), "contributor_scores": [1.0] * 6},
    ]
    results = judged(spark, "model_scores", rows, ["SCO-03", "SCO-04", "SCO-05", "SCO-06", "SCO-08"])
    assert breaking(results, "score_id") == {
        "SCO-03": ["infinite"],
        "SCO-04": ["infinite", "none"],
        "SCO-05": ["flagged", "quiet"],
        "SCO-06": ["shadow"],
        "SCO-08": ["six", "unpaired"],
    }


@pytest.mark.nightly
def test_severity_and_deadline_of_alerts_are_those_of_the_profile(spark: SparkSession) -> None:
    minutes = {rule.severity: rule.acknowledge_minutes for rule in PROFILE.alerting.severities}
    told = [
        ("low", "LOW", 0.4, "ANOMALY_DETECTED"),
        ("by two families", "MEDIUM", 0.4, "ANOMALY_DETECTED"),
        ("one loud window", "MEDIUM", 0.9, "ANOMALY_DETECTED"),
        ("sustained", "HIGH", 0.9, "ANOMALY_SUSTAINED"),
        ("at the limit", "HIGH", 0.95, "ANOMALY_SUSTAINED"),
        ("over", "LOW", 0.99, "ANOMALY_RESOLVED"),
        ("too mild", "LOW", 0.8, "ANOMALY_DETECTED"),
        ("too mild by far", "HIGH", 0.96, "ANOMALY_DETECTED"),
        ("too severe", "HIGH", 0.85, "ANOMALY_SUSTAINED"),
    ]
    keys = ("alert_id", "severity", "anomaly_score", "alert_type")
    rows: list[dict[str, Any]] = [dict(zip(keys, one, strict=True)) for one in told]
    for row in rows:
        deadline = NOW + pd.Timedelta(minutes=minutes[str(row["severity"])])
        row |= {"alert_created_at": NOW, "sla_deadline": deadline, "status": "OPEN"}
        row["model_id"] = "isolation_forest_v1"
    rows[0]["sla_deadline"] += pd.Timedelta(microseconds=1)
    rows[1] |= {"status": "RESOLVED", "resolved_at": NOW}
    rows[2] |= {"status": "RESOLVED"}
    rows[3] |= {"resolved_at": NOW}
    results = judged(spark, "device_alerts", rows, ["ALR-07", "ALR-09", "ALR-13"])
    assert breaking(results, "alert_id") == {
        "ALR-07": ["low"],
        "ALR-09": ["too mild", "too mild by far", "too severe"],
        "ALR-13": ["one loud window", "sustained"],
    }
    assert not results["ALR-13"].blocks
