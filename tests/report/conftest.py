"""A sample snapshot with something in every part of the page, hostile names included."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from mirror.health import AlertBook
from mirror.health.alerts import open_equipment, open_quality
from mirror.report.snapshot import (
    CheckLine,
    Count,
    DatasetLine,
    DeviceScores,
    Edge,
    FleetSection,
    HealthLine,
    ModelLine,
    ReportSnapshot,
    ScorePoint,
    Table,
)

HALL = "/Fleet/hall"
START = datetime(2017, 9, 11, tzinfo=UTC)
NAMES = {
    "landing_telemetry": None,
    "raw_sensor_readings": 59_039,
    "clean_sensor_readings": 58_000,
    "quarantine_sensor_readings": 947,
    "dead_letter": 92,
    "device_features": 4_918,
    "model_scores": 4_918,
    "device_alerts": 37,
    "quality_alerts": 2,
}
CHAIN = (
    ("landing_telemetry", "raw_sensor_readings", "read_landing"),
    ("raw_sensor_readings", "clean_sensor_readings", "clean"),
    ("raw_sensor_readings", "quarantine_sensor_readings", "clean"),
    ("raw_sensor_readings", "dead_letter", "clean"),
    ("clean_sensor_readings", "device_features", "window"),
    ("device_features", "models/isolation_forest", "train"),
    ("device_features", "model_scores", "score"),
    ("models/isolation_forest", "model_scores", "score"),
    ("model_scores", "device_alerts", "alert"),
    ("clean_sensor_readings", "quality_alerts", "watch"),
)


def _line(name: str, rows: int | None, position: int) -> DatasetLine:
    return DatasetLine(
        path=f"{HALL}/{name}",
        rows=rows,
        files=3,
        size=1_234_567,
        transactions=2,
        transaction=f"ri.foundry.main.transaction.{position}",
        kind="SNAPSHOT",
        committed_at=START + timedelta(days=14, minutes=position),
        produced=position > 0,
    )


def _scores(device: str, phase: float, faults: int) -> DeviceScores:
    points = tuple(
        ScorePoint(START + timedelta(days=day + 9 * (day > 8), hours=hour), score, score > 0.6)
        for day in range(14)
        for hour in range(24)
        for score in [round(0.42 + 0.2 * math.sin(phase + hour / 4 + day) + 0.2 * (day < faults) * (hour > 8), 4)]
    )
    return DeviceScores(
        device_id=device,
        model="isolation_forest_v1 1.0.0",
        window_minutes=60,
        threshold=0.6,
        windows=len(points),
        flagged=sum(point.flagged for point in points),
        points=points,
        faults=tuple(START + timedelta(days=day) for day in range(faults)),
    )


def _equipment(severity: str, number: int) -> dict[str, object]:
    return {
        "alert_id": f"a{number}",
        "device_id": "<b>mzvav</b>",
        "site_id": "SITE",
        "alert_type": "ANOMALY_DETECTED",
        "severity": severity,
        "title": "Score 0.91 over 3 windows",
        "description": "supply_air_temperature above its usual range; heating valve open.",
        "model_id": "isolation_forest_v1",
        "anomaly_score": 0.91,
        "top_contributors": ["supply_air_temp_mean", "heating_valve_max"],
        "status": "OPEN",
        "alert_created_at": START + timedelta(hours=number),
        "sla_deadline": START + timedelta(hours=number + 2),
        "escalation_level": "L1",
        "suppressed": False,
    }


def _quality(metric: str, severity: str, dataset: str) -> dict[str, object]:
    return {
        "metric_id": metric,
        "family": "volume",
        "dataset": f"{HALL}/{dataset}",
        "severity": severity,
        "observed": 0.016,
        "threshold": "> 0.01",
        "reason": "1 percent is more than any planned installation",
        "owner": "Data Engineer",
        "rotation": "On-call Data Engineer",
        "channel": "#data-platform-alerts",
        "runbook_id": "RB-07",
        "runbook_step": "List the new device ids and ask the installer.",
        "raised_at": START,
    }


@pytest.fixture(scope="session")
def sample() -> ReportSnapshot:
    """One fleet with everything, one with nothing but raw rows, and a dataset of a foreign name."""
    lines = [_line(name, rows, position) for position, (name, rows) in enumerate(NAMES.items())]
    foreign = DatasetLine("/Elsewhere/orders", 12, 1, 900, 1, "ri.t", "APPEND", START, None)
    idle = DatasetLine("/Fleet/idle/raw_sensor_readings", 5, 1, 10, 1, "ri.u", "APPEND", START, False)
    offending = ((("device_id", "szvav"), ("damper", "-0.04")), (("device_id", "szvav"), ("damper", "-0.05")))
    checks = (
        CheckLine(
            f"{HALL}/clean_sensor_readings", "CLN-01 one row per event", "E.primary_key('event_id')", "PASS", "FAIL", ""
        ),
        CheckLine(
            f"{HALL}/clean_sensor_readings",
            "CLN-07 damper inside its range",
            "E.col('damper').gte(0)",
            "FAIL",
            "WARN",
            "4,099 of 58,000 rows are below 0",
            offending=offending,
        ),
        CheckLine(
            f"{HALL}/model_scores", "SCO-03 score between 0 and 1", "E.col('anomaly_score').gte(0)", "PASS", "FAIL", ""
        ),
        CheckLine(
            f"{HALL}/device_alerts", "ALR-01 an alert exists once", "E.primary_key('alert_id')", "PASS", "FAIL", ""
        ),
    )
    severities = ["CRITICAL", *["HIGH"] * 3, *["MEDIUM"] * 9, *["LOW"] * 2]
    breaches = [_quality("FRS-01", "HIGH", "raw_sensor_readings"), _quality("VOL-06", "MEDIUM", "dead_letter")]
    sick = [_equipment(severity, number) for number, severity in enumerate(severities)]
    book = AlertBook(tuple(open_quality(f"{HALL}/q", breaches)), tuple(open_equipment(f"{HALL}/e", sick)))
    fleet = FleetSection(
        prefix=HALL,
        flow=(
            Count("landing", None, "3 files"),
            Count("raw", 59_039),
            Count("clean", 58_000),
            Count("quarantine", 947, aside=True),
            Count("dead letter", 92, aside=True),
            Count("features", 4_918),
            Count("scores", 4_918),
            Count("alerts", 37),
        ),
        reasons=(
            Count("DEVICE_UNKNOWN", 947, "quarantine"),
            Count("MALFORMED_NUMBER", 91, "dead letter"),
            Count("ALL_SENSORS_NULL", 1, "dead letter"),
        ),
        flags=(Count("RANGE_VIOLATION", 4_099), Count("SENSOR_GAP", 12)),
        scores=(_scores("szvav", 0.0, 7), _scores("<b>mzvav</b>", 1.0, 3), _scores("szcav", 2.0, 0)),
        devices_scored=3,
        raised=(Count("CRITICAL", 2), Count("HIGH", 5), Count("MEDIUM", 20), Count("LOW", 10)),
        alerts=book,
        tables=(Table("Detection against known faults", ("device", "auc"), (("szvav", "0.69"), ("mzvav", "0.50")), 2),),
    )
    return ReportSnapshot(
        workspace="demo",
        branch="master",
        as_of=START + timedelta(days=14),
        datasets=(foreign, *sorted([*lines, idle], key=lambda line: line.path)),
        model_paths=(f"{HALL}/models/isolation_forest",),
        edges=tuple(Edge(f"{HALL}/{a}", f"{HALL}/{b}", via) for a, b, via in CHAIN),
        checks=checks,
        health=(
            HealthLine(
                "<b>clean</b> readings keep coming",
                f"{HALL}/clean_sensor_readings",
                "hall",
                "fail",
                "CRITICAL",
                "time since last updated: 2 h is above 1 h (CRITICAL: an hour of windows is late)",
                START,
                ("On-call", "<b>Lead</b>"),
                (("pass", START), ("idle", START), ("fail", START)),
            ),
        ),
        fleets=(fleet, FleetSection(prefix="/Fleet/idle", flow=(Count("raw", 5),))),
        models=(
            ModelLine(f"{HALL}/models/isolation_forest", "1.0.0", START, ("staging", "production"), (("seed", "0"),)),
            ModelLine(f"{HALL}/models/isolation_forest", "0.9.0", START - timedelta(days=9)),
        ),
    )
