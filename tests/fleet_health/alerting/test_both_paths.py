"""Readings and scores to alerts, many devices in one job: rows, deadlines, sites, answers, checks."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from fleet_health.alerting.alerts import device_alerts
from fleet_health.contracts.alerts import ALERTS_SCHEMA
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.streaming import FIRING_SCHEMA
from fleet_health.profiles.loader import shipped_profile
from fleet_health.streaming.alerts import streaming_alerts
from fleet_health.streaming.readings import firing_frame, judged
from fleet_health.streaming.runner import replay_alerts
from fleet_health.streaming.state import DeviceState
from fleet_health.streaming.thresholds import limits_of

PROFILE = shipped_profile("refrigeration")
NOON = pd.Timestamp("2026-01-15 12:00:00")
SENSORS = {
    "current_compressor": 12.0,
    "vibration_compressor": 3.0,
    "pressure_low_side": 300.0,
    "temperature_evaporator": -20.0,
}
TRIGGERS: dict[str, tuple[str, list[float]]] = {
    "ST-01": ("current_compressor", [12.0, 41.0]),
    "ST-02": ("vibration_compressor", [3.0, 9.5]),
    "ST-03": ("pressure_low_side", [300.0] * 6 + [200.0] * 2),
    "ST-04": ("temperature_evaporator", [-20.0, -17.5, -15.0, -12.5]),
}
SCORES = {
    "LOW": [0.62],
    "MEDIUM": [0.75],
    "HIGH": [0.90, 0.90],
    "CRITICAL": [0.99],
    "no cause": [0.62, 0.62],
    "transient": [0.3],
    "open": [0.7],
    "goes on": [0.9],
}
OVERLOADED = ["transient", "open", "goes on", "no site", "neighbour", "unknown"]


def minute(n: float) -> pd.Timestamp:
    return NOON + pd.Timedelta(minutes=n)


def _readings() -> pd.DataFrame:
    """As :func:`stream_readings` gives them; each is received a second after it was taken."""
    series = dict(TRIGGERS)
    series |= {device: ("current_compressor", [41.0]) for device in OVERLOADED}
    series["young"] = ("vibration_compressor", [90.0])  # no day of history yet
    rows = [
        {"device_id": device, "event_id": f"{device}-{n}", "n": n, "defrost_cycle": 0.0, **SENSORS, sensor: value}
        for device, (sensor, values) in series.items()
        for n, value in enumerate(values)
    ]
    made = pd.DataFrame(rows)
    time = made.pop("n").map(minute).astype("datetime64[us]").astype("int64")
    return made.assign(time=time, received=time + 1_000_000)


def _fired() -> pd.DataFrame:
    found = []
    for device, rows in _readings().groupby("device_id"):
        average = float("nan") if device == "young" else 3.0
        limits = {**limits_of(str(device), PROFILE), "vibration_avg_24h": average}
        found.append(firing_frame(str(device), judged(rows.assign(**limits), DeviceState(), PROFILE)[1]))
    return pd.concat([frame for frame in found if len(frame)])


def _windows() -> pd.DataFrame:
    ends = [minute(-60 * n) for n in range(25)]
    hours = pd.DataFrame({"window_end": ends, "window_duration_minutes": 60, "reading_count": 60})
    hours = hours.assign(window_start=hours["window_end"] - pd.Timedelta(hours=1), computed_at=hours["window_end"])
    old = [hours.assign(device_id=device, vibration_compressor_mean=3.0) for device in (*TRIGGERS, *OVERLOADED)]
    young = hours.iloc[:23].assign(device_id="young", vibration_compressor_mean=3.0)
    return pd.concat([*old, young])


def _scores() -> pd.DataFrame:
    rows = [
        {
            "device_id": device,
            "window_end": minute(15 * n),
            "window_duration_minutes": 15,
            "model_id": "isolation_forest_v1",
            "model_version": "1.0.0",
            "scored_at": minute(15 * n),
            "anomaly_score": score,
            "anomaly_flag": score > 0.6,
            "top_contributors": None if device == "no cause" else ["x"],
        }
        for device, values in SCORES.items()
        for n, score in enumerate(values, start=1)
    ]
    return pd.DataFrame(rows)


def _registry(spark: SparkSession) -> DataFrame:
    devices = sorted({*TRIGGERS, *OVERLOADED, *SCORES, "young"} - {"unknown"})
    sites = pd.DataFrame({"device_id": devices, "site_id": [None if d == "no site" else "S-1" for d in devices]})
    return spark.createDataFrame(sites, "device_id string, site_id string")


@pytest.fixture(scope="module")
def alerts(spark: SparkSession) -> pd.DataFrame:
    registry = _registry(spark)
    streaming = streaming_alerts(spark.createDataFrame(_fired(), FIRING_SCHEMA), registry, PROFILE)
    made = device_alerts(spark.createDataFrame(_scores()), registry, PROFILE, streaming)
    assert made.schema.simpleString() == ALERTS_SCHEMA.simpleString()
    return made.toPandas().sort_values(["device_id", "window_end", "alert_type"]).reset_index(drop=True)


def of(alerts: pd.DataFrame, device: str) -> list[dict[str, Any]]:
    return alerts[alerts["device_id"] == device].to_dict("records")  # type: ignore[return-value]


@pytest.mark.case("SRV-HP-03")
def test_each_rule_raises_one_complete_critical_alert(alerts: pd.DataFrame) -> None:
    optional = {"ontology_action_id", "resolved_at"}
    for rule, (sensor, values) in TRIGGERS.items():
        (row,) = of(alerts, rule)
        assert {name for name, value in row.items() if value is None or value is pd.NaT} == optional
        assert (row["severity"], row["alert_type"], row["anomaly_score"]) == ("CRITICAL", "ANOMALY_DETECTED", 1.0)
        assert (row["model_id"], row["status"], row["suppressed"]) == ("streaming_rules_v1", "OPEN", False)
        assert row["top_contributors"][1] == sensor
        assert row["window_end"] == row["first_detected_at"] == minute(len(values) - 1)
        assert row["alert_created_at"] == row["window_end"] + pd.Timedelta(seconds=1)
    title = "CRITICAL: compressor_overload on ST-01"
    text = (
        "current_compressor read 41.00 A at 2026-01-15 12:01:00 UTC; an overloaded motor burns out within minutes. "
        "Acknowledge within 30 minutes."
    )
    (row,) = of(alerts, "ST-01")
    assert (row["title"], row["description"]) == (title, text)


def test_deadlines_count_from_the_creation_of_the_row(alerts: pd.DataFrame) -> None:
    deadlines = {"CRITICAL": 30, "HIGH": 120, "MEDIUM": 240, "LOW": 1440}
    given = (alerts["sla_deadline"] - alerts["alert_created_at"]) / pd.Timedelta(minutes=1)
    assert given.groupby(alerts["severity"]).unique().map(list).to_dict() == {s: [m] for s, m in deadlines.items()}
    assert {severity: of(alerts, severity)[-1]["severity"] for severity in deadlines} == {s: s for s in deadlines}


@pytest.mark.case("SRV-NU-02")
def test_an_alert_without_contributors_is_written_and_its_repeat_is_silent(alerts: pd.DataFrame) -> None:
    rows = of(alerts, "no cause")
    assert [(row["top_contributors"], row["suppressed"]) for row in rows] == [(None, False), (None, True)]
    assert "no single feature" in rows[0]["description"]


@pytest.mark.case("SRV-NU-05")
def test_a_device_without_a_site_is_not_lost_and_one_nobody_knows_is_left_to_the_streaming_dataset(
    alerts: pd.DataFrame,
) -> None:
    (row,) = of(alerts, "no site")
    assert row["site_id"] == "UNKNOWN_SITE"
    assert of(alerts, "unknown") == []
    assert set(alerts.loc[alerts["device_id"] != "no site", "site_id"]) == {"S-1"}


@pytest.mark.case("SRV-DI-02")
def test_no_device_silences_another(alerts: pd.DataFrame) -> None:
    overloaded = alerts[alerts["top_contributors"].map(lambda c: c is not None and c[0] == "compressor_overload")]
    detected = overloaded[overloaded["alert_type"] == "ANOMALY_DETECTED"]
    assert sorted(detected["device_id"]) == sorted({*OVERLOADED, "ST-01"} - {"unknown"})
    assert not detected["suppressed"].any()


def test_scores_answer_with_new_rows_that_keep_the_first_detection(alerts: pd.DataFrame) -> None:
    def life(device: str) -> list[tuple[str, str, str, str]]:
        return [
            (row["model_id"], row["alert_type"].removeprefix("ANOMALY_"), row["severity"], row["status"])
            for row in of(alerts, device)
        ]

    acute, batch = "streaming_rules_v1", "isolation_forest_v1"
    assert life("transient") == [
        (acute, "DETECTED", "CRITICAL", "OPEN"),
        (acute, "RESOLVED", "LOW", "RESOLVED"),
    ]
    assert life("open") == [(acute, "DETECTED", "CRITICAL", "OPEN"), (batch, "DETECTED", "LOW", "OPEN")]
    assert life("goes on") == [
        (acute, "DETECTED", "CRITICAL", "OPEN"),
        (batch, "DETECTED", "MEDIUM", "OPEN"),
        (acute, "SUSTAINED", "CRITICAL", "OPEN"),
    ]
    for device in ("transient", "open", "goes on"):
        assert {row["first_detected_at"] for row in of(alerts, device)} == {NOON}
    assert of(alerts, "transient")[1]["resolved_at"] == minute(15)
    assert "transient" in of(alerts, "transient")[1]["description"]


@pytest.mark.case("SRV-BI-07")
def test_a_status_in_lower_case_fails_its_check_and_nothing_else_fails(spark: SparkSession) -> None:
    from mirror.checks import CheckSubject, evaluate

    frame = spark.sql("VALUES ('open', 'LOW', 'L1'), ('OPEN', 'HIGH', 'L2') AS t (status, severity, escalation_level)")
    lists = [
        check for check in checks_of("device_alerts", PROFILE) if check.name.startswith(("ALR-03", "ALR-05", "ALR-06"))
    ]
    subject = CheckSubject("device_alerts", frame.schema, lambda: frame)
    results = evaluate(lists, subject, spark=spark, now=datetime(2026, 1, 15, 13, tzinfo=UTC))
    assert {r.name.split(" ")[0]: r.outcome for r in results} == {"ALR-03": "PASS", "ALR-05": "FAIL", "ALR-06": "PASS"}


@pytest.mark.nightly
def test_every_check_of_the_contract_holds(alerts: pd.DataFrame, spark: SparkSession) -> None:
    from mirror.checks import CheckSubject, evaluate

    resolved = alerts["resolved_at"].astype(object).where(alerts["resolved_at"].notna(), None)
    frame = spark.createDataFrame(alerts.assign(resolved_at=resolved), ALERTS_SCHEMA)
    subject = CheckSubject("device_alerts", frame.schema, lambda: frame)
    alone = [
        check for check in checks_of("device_alerts", PROFILE) if not check.name.startswith("ALR-12")
    ]  # the registry
    results = evaluate(alone, subject, spark=spark, now=datetime(2026, 1, 15, 13, tzinfo=UTC))
    assert [r.name for r in results if r.outcome != "PASS"] == []
    assert {"ALR-07", "ALR-09"} <= {result.name[:6] for result in results}


@pytest.mark.nightly
def test_the_replay_takes_averages_as_they_were_known_and_no_clock_that_is_ahead(spark: SparkSession) -> None:
    taken = _readings()
    received = pd.to_datetime(taken["received"], unit="us")
    ahead = (taken["device_id"] == "neighbour") * pd.Timedelta(hours=1)
    raw = taken.assign(timestamp_device=pd.to_datetime(taken["time"], unit="us") + ahead, timestamp_ingested=received)
    registry = _registry(spark)
    made = replay_alerts(spark.createDataFrame(raw), spark.createDataFrame(_windows()), registry, PROFILE).toPandas()
    times = dict(zip(made["device_id"], made["window_end"], strict=True))
    assert set(times) == {*TRIGGERS, *OVERLOADED}
    assert times["neighbour"] == NOON + pd.Timedelta(seconds=1)
    assert times["ST-02"] == minute(1)
    assert made.set_index("device_id").loc["unknown", "site_id"] == "UNKNOWN_SITE"


@pytest.mark.case("SRV-BI-02")
def test_scores_of_models_that_are_not_released_stop_the_build(spark: SparkSession) -> None:
    from mirror.checks import CheckSubject, evaluate

    shadow, trial = "isolation_forest_v1_shadow", "test_isolation_forest_v1"
    frame = spark.sql(f"VALUES ('isolation_forest_v1'), ('{shadow}'), ('{trial}') AS t (model_id)")
    (check,) = [one for one in checks_of("model_scores", PROFILE) if one.name.startswith("SCO-06")]
    subject = CheckSubject("model_scores", frame.schema, lambda: frame)
    (result,) = evaluate([check], subject, spark=spark, now=datetime(2026, 1, 15, 13, tzinfo=UTC))
    assert (check.on_error, result.outcome) == ("FAIL", "FAIL")
    assert {row["model_id"] for row in result.offending} == {shadow, trial}
