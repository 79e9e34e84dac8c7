"""Drift: distances that can be computed by hand, and the measured campaigns against their training days."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from fleet_health.monitoring.drift import distances
from fleet_health.training_data.statistics import bin_counts, bin_edges


def test_equal_shares_have_no_distance() -> None:
    assert distances(np.array([10.0] * 12), np.array([1000.0] * 12)) == pytest.approx((0.0, 0.0), abs=2e-3)


def test_two_bins_by_hand() -> None:
    now, then = np.array([300.0, 700.0]), np.array([500.0, 500.0])
    p, q = (300.5 / 1001, 700.5 / 1001), (0.5, 0.5)
    psi = sum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True))
    kl = max(
        sum(a * math.log(a / b) for a, b in zip(p, q, strict=True)),
        sum(b * math.log(b / a) for a, b in zip(p, q, strict=True)),
    )
    assert distances(now, then) == pytest.approx((psi, kl), rel=1e-12)


def test_an_empty_bin_has_a_finite_distance() -> None:
    psi, kl = distances(np.array([0.0, 100.0]), np.array([100.0, 0.0]))
    assert 5.0 < psi < 15.0
    assert math.isfinite(kl)


@pytest.mark.parametrize(
    ("shift", "low", "high"), [(0.0, 0.0, 0.001), (0.32, 0.08, 0.12), (0.5, 0.2, 0.3), (1.0, 0.8, 1.2)]
)
def test_a_pure_shift_has_the_squared_shift_as_its_index(shift: float, low: float, high: float) -> None:
    values = np.random.default_rng(1).normal(size=100_000)
    edges = bin_edges(values)
    then = np.array(bin_counts(values, edges), dtype=float)
    now = np.array(bin_counts(values + shift, edges), dtype=float)
    assert low <= distances(now, then)[0] <= high


@pytest.mark.case("MST-02")
def test_three_sizes_of_shift_measure_within_a_tenth() -> None:
    values = np.random.default_rng(2).normal(size=20_000)
    edges = bin_edges(values)
    then = np.array(bin_counts(values, edges), dtype=float)
    for shift, expected in ((0.32, 0.10), (0.5, 0.25), (1.0, 1.0)):
        now = np.array(bin_counts(values + shift, edges), dtype=float)
        assert distances(now, then)[0] == pytest.approx(expected, rel=0.1), shift


@pytest.mark.case("MST-03")
def test_values_above_all_training_are_a_large_and_finite_drift() -> None:
    values = np.random.default_rng(2).normal(size=2_000)
    edges = bin_edges(values)
    now = np.array(bin_counts(np.full(2_000, 1e6), edges), dtype=float)
    assert now[9] == 2_000
    psi, kl = distances(now, np.array(bin_counts(values, edges), dtype=float))
    assert psi > 1.0
    assert math.isfinite(psi)
    assert math.isfinite(kl)


@pytest.mark.case("MST-04")
def test_a_feature_that_is_mostly_zero_drifts_in_its_zero_bin() -> None:
    values = np.concatenate([np.zeros(9_000), np.random.default_rng(2).uniform(0.1, 1.0, 1_000)])
    edges = bin_edges(values)
    then = np.array(bin_counts(values, edges), dtype=float)
    assert then[10] == 9_000
    assert distances(then, then)[0] == 0.0
    woken = np.array(bin_counts(np.concatenate([values[2_000:], np.full(2_000, 0.5)]), edges), dtype=float)
    psi, _ = distances(woken, then)
    assert 0.05 < psi < 5.0


def test_campaigns_against_their_training_days(lbnl: Any) -> None:
    drift = lbnl.frame("feature_drift_metrics").toPandas().set_index("feature_name")
    assert set(drift.index) == set(lbnl.profile.model_features)
    assert drift["current_row_count"].unique().tolist() == [96]
    assert drift["scoring_window_start"].map(str).unique().tolist() == ["2017-09-24 07:45:00"]
    assert (drift["psi_value"] >= 0).all()
    assert drift.loc["duct_static_pressure_mean", "null_rate_delta"] == pytest.approx(1.0 - 192 / 672)
    assert drift.loc["duct_static_pressure_mean", "drift_severity"] == "emergency"
    assert drift.loc["occupied_fraction", "drift_severity"] == "none"
    assert drift.loc["occupied_fraction", "current_mean"] == 0.5


def test_baseline_belongs_to_the_model_version(lbnl: Any) -> None:
    statistics = lbnl.frame("training_statistics").toPandas()
    constants = lbnl.model.load().constants
    assert set(statistics["model_version"]) == {constants["model_version"]}
    assert (
        statistics.set_index("feature_name").loc[constants["feature_names"], "training_p50"].tolist()
        == constants["medians"]
    )


def test_health_and_alerts_of_the_campaigns(lbnl: Any) -> None:
    health = lbnl.frame("pipeline_health_metrics").toPandas()
    by_id = health[health["dimension"] == "ALL"].set_index("metric_id")
    assert by_id.loc["VOL-01", "value"] == 1.0  # 60 of 60 rows of the one unit still active
    assert by_id.loc["FRS-02", "value"] == 0.0
    assert by_id.loc["OUT-01", "value"] == 0.0
    nulls = health[health["metric_id"] == "NUL-01"]
    assert len(nulls) == 14  # sensors that no active unit should report have no row
    assert (nulls["status"] == "OK").all()
    alerts = lbnl.frame("quality_alerts").toPandas()
    assert alerts["metric_id"].tolist() == ["DRF-02"]
    alert = alerts.iloc[0]
    assert (alert["severity"], alert["threshold"], alert["dataset"]) == (
        "HIGH",
        5.0,
        "/Fleet/air_handler/feature_drift_metrics",
    )
    assert alert["observed"] == (lbnl.frame("feature_drift_metrics").toPandas()["psi_value"] > 0.25).sum()
    assert (alert["owner"], alert["rotation"], alert["channel"]) == (
        "ML Scientist",
        "On-call ML Platform",
        "#ml-model-alerts",
    )
    assert alert["runbook_id"] == "RB-10"
    assert alert["runbook_step"].startswith("Sort the features by PSI")
    assert "two sensors" in alert["reason"]
