"""Every metric is silent on a healthy day and speaks on one with a fault for it; without rows it says so."""

from __future__ import annotations

import pytest
from pyspark.sql import SparkSession
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


def test_without_a_row_no_metric_is_well(spark: SparkSession) -> None:
    looked = look(Watched({name: frame(spark, name, []) for name in DATASETS}, PROFILE), METRICS)
    computed = {m.id for m in METRICS if m.watched_by == "transform"}
    states = {name: looked.coverage[name][0] for name in computed}
    # no burst in no stream, and nobody to be urgent about
    assert {name for name, state in states.items() if state == "MEASURED"} == {"SRV-07"}
    assert {name for name, state in states.items() if state == "UNKNOWN"} >= {"VOL-01", "FRS-02", "NUL-01", "DRF-01"}
    assert {v.severity for _, v in looked.verdicts if v.status == "UNKNOWN"} == {"MEDIUM"}
