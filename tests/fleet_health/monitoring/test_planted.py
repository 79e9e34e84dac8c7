"""Every metric is silent on a healthy day and speaks on one with a fault for it; without rows it says so."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F
from watched_fleet import PROFILE, frame, planted

from fleet_health.monitoring.definitions import shipped_metrics
from fleet_health.monitoring.health import Looked, look
from fleet_health.monitoring.measured import Watched
from fleet_health.monitoring.passes import DATASETS, MEASURES

METRICS = shipped_metrics(MEASURES)
# Two looks at seventeen datasets plan many small queries; each threshold is judged by day in test_judgement.py.
pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def looks(spark: SparkSession) -> dict[bool, Looked]:
    return {faulty: look(Watched(planted(spark, faulty), PROFILE), METRICS) for faulty in (False, True)}


def test_a_healthy_day_fires_nothing_and_a_fault_fires_its_metric(looks: dict[bool, Looked]) -> None:
    unwell = [(m.id, v) for m, v in looks[False].verdicts if v.status != "OK"]
    assert unwell == []
    fired = {m.id for m, v in looks[True].verdicts if v.severity is not None}
    assert {m.id for m in METRICS if m.watched_by == "transform"} - fired == set()
    for metric, verdict in looks[True].verdicts:
        if verdict.severity is not None:
            assert verdict.reason in {t.reason for t in metric.thresholds}, metric.id


def test_a_receipt_time_that_jumps_ahead_makes_the_monitor_speak_and_not_sleep(spark: SparkSession) -> None:
    needed = ("raw_sensor_readings", "clean_sensor_readings", "device_registry")
    frames = {name: one for name, one in planted(spark, False).items() if name in needed}
    rows = frames["raw_sensor_readings"]
    jumped = rows.limit(1).withColumn("timestamp_ingested", F.expr("timestamp_ingested + INTERVAL 30 DAYS"))
    looked = look(Watched({**frames, "raw_sensor_readings": rows.unionByName(jumped)}, PROFILE), METRICS)
    said = {m.id: (v.value, v.severity) for m, v in looked.verdicts if m.id in ("VOL-01", "FRS-02")}
    # no row in the hours before the newest one, and thirty days less seven hours between raw and clean
    assert said == {"VOL-01": (0.0, "HIGH"), "FRS-02": (pytest.approx(30 * 1440 - 7 * 60, abs=7 * 60), "HIGH")}


def test_without_a_row_no_metric_is_well(spark: SparkSession) -> None:
    looked = look(Watched({name: frame(spark, name, []) for name in DATASETS}, PROFILE), METRICS)
    computed = {m.id for m in METRICS if m.watched_by == "transform"}
    states = {name: looked.coverage[name][0] for name in computed}
    # no burst in no stream, and nobody to be urgent about
    assert {name for name, state in states.items() if state == "MEASURED"} == {"SRV-07"}
    assert {name for name, state in states.items() if state == "UNKNOWN"} >= {"VOL-01", "FRS-02", "NUL-01", "DRF-01"}
    assert {v.severity for _, v in looked.verdicts if v.status == "UNKNOWN"} == {"MEDIUM"}
