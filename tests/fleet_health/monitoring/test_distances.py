"""Distances from histograms: against scipy on the same rows, within the error that is stated."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from fleet_health.monitoring.distances import association, compare, distances, psi_noise
from fleet_health.monitoring.joint import joint
from fleet_health.monitoring.references import layout_of, sketch_of
from fleet_health.monitoring.sketch import Layout, Sketch


def both(then: Any, now: Any) -> tuple[Any, Sketch, Sketch]:
    """The distances of one feature, over bins made of ``then``."""
    trained, current = pd.DataFrame({"f": then}), pd.DataFrame({"f": now})
    layout = layout_of(trained, ("f",))
    a, b = sketch_of(trained, layout), sketch_of(current, layout)
    extremes = min(a.extremes(0)[0], b.extremes(0)[0]), max(a.extremes(0)[1], b.extremes(0)[1])
    return (
        compare(
            b.of(0), b.nulls(0), a.of(0), a.nulls(0), layout.edges[0], extremes, (b.mean(0) or 0.0, a.mean(0) or 0.0)
        ),
        a,
        b,
    )


def test_equal_shares_have_no_distance() -> None:
    assert distances(np.array([10.0] * 12), np.array([1000.0] * 12)) == pytest.approx((0.0, 0.0), abs=2e-3)


def test_two_bins_by_hand() -> None:
    p, q = (300.5 / 1001, 700.5 / 1001), (0.5, 0.5)
    psi = sum((a - b) * math.log(a / b) for a, b in zip(p, q, strict=True))
    kl = max(stats.entropy(p, q), stats.entropy(q, p))
    assert distances(np.array([300.0, 700.0]), np.array([500.0, 500.0])) == pytest.approx((psi, kl), rel=1e-12)


@pytest.mark.case("MST-01")
def test_the_same_rows_again_have_no_distance() -> None:
    values = np.random.default_rng(3).normal(size=20_000)
    found, _, _ = both(values, values)
    assert found.psi < 0.01
    assert found.ks < 0.02
    assert found.wasserstein == 0.0


@pytest.mark.case("MST-02")
def test_three_sizes_of_shift_measure_within_a_tenth() -> None:
    values = np.random.default_rng(2).normal(size=20_000)
    for shift, expected in ((0.32, 0.10), (0.5, 0.25), (1.0, 1.0)):
        assert both(values, values + shift)[0].psi == pytest.approx(expected, rel=0.1), shift


@pytest.mark.case("MST-03")
def test_values_above_all_training_are_a_large_and_finite_drift() -> None:
    found, _, now = both(np.random.default_rng(2).normal(size=2_000), np.full(2_000, 1e6))
    assert now.of(0)[-1] == 2_000
    assert (found.psi > 1.0, math.isfinite(found.psi), math.isfinite(found.kl), found.ks) == (True, True, True, 1.0)


@pytest.mark.case("MST-04")
def test_a_feature_that_is_mostly_zero_drifts_in_its_zero_bin() -> None:
    values = np.concatenate([np.zeros(9_000), np.random.default_rng(2).uniform(0.1, 1.0, 1_000)])
    assert both(values, values)[0].psi == 0.0
    woken = np.concatenate([values[2_000:], np.full(2_000, 0.5)])
    found, then, _ = both(values, woken)
    assert then.of(0).max() == 9_000
    assert 0.05 < found.psi < 5.0
    assert found.ks == pytest.approx(0.2, abs=0.01)


@pytest.mark.parametrize("shape", ["normal", "skewed", "atoms", "shifted"])
def test_statistics_agree_with_scipy_within_the_stated_error(shape: str) -> None:
    random = np.random.default_rng(5)
    then = {"skewed": random.lognormal(size=8_000), "atoms": random.integers(0, 6, 8_000).astype(float)}.get(
        shape, random.normal(size=8_000)
    )
    now = then[:5_000] * 1.3 + (0.8 if shape == "shifted" else 0.1)
    found, _, _ = both(then, now)
    exact = stats.ks_2samp(now, then, method="asymp").statistic
    assert exact - found.ks_error <= found.ks <= exact + 1e-12
    assert found.ks_error <= 0.0051
    assert found.wasserstein == pytest.approx(stats.wasserstein_distance(now, then), rel=0.1)


def test_categories_agree_with_scipy() -> None:
    now, then = np.array([30.0, 60.0, 10.0]), np.array([300.0, 400.0, 300.0])
    exact = stats.chi2_contingency(np.vstack([now, then]))
    assert association(now, then) == pytest.approx((math.sqrt(exact.statistic / 1100), exact.pvalue))
    assert association(np.array([5.0]), np.array([7.0])) == (0.0, 1.0)


def test_noise_tells_how_many_rows_a_verdict_needs() -> None:
    random = np.random.default_rng(7)
    measured = [both(random.normal(size=5_000), random.normal(size=400))[0].psi for _ in range(8)]
    assert np.mean(measured) == pytest.approx(psi_noise(400, 5_000), rel=0.4)
    assert psi_noise(0, 5_000) == math.inf


def test_sketches_of_parts_add_up_to_the_sketch_of_the_whole() -> None:
    random = np.random.default_rng(9)
    rows = pd.DataFrame({"a": random.normal(1e6, 1.0, 999), "b": np.where(random.random(999) < 0.1, np.nan, 3.0)})
    layout: Layout = layout_of(rows, ("a", "b"))
    whole, parts = sketch_of(rows, layout), Sketch.empty(layout)
    for start in range(0, 999, 100):
        parts.add(sketch_of(rows.iloc[start : start + 100], layout))
    assert (parts.counts == whole.counts).all()
    assert parts.nulls(1) == int(rows["b"].isna().sum())
    assert parts.mean(0) == pytest.approx(rows["a"].mean(), rel=1e-12)
    assert parts.deviation(0) == pytest.approx(
        rows["a"].std(), rel=1e-9
    )  # squares about the mean, or a million eats it
    assert parts.deviation(1) == 0.0


def test_relations_that_break_are_seen_although_every_feature_stays() -> None:
    random = np.random.default_rng(11)
    a = random.normal(size=300)
    then = np.column_stack([a, a + 0.1 * random.normal(size=300), random.normal(size=300)])
    broken = np.column_stack([then[:, 0], random.permutation(then[:, 1]), then[:, 2]])
    same, moved = joint(then[::-1], then, 1, 50), joint(broken, then, 1, 50)
    assert same is not None
    assert moved is not None
    assert (same.p_value > 0.5, moved.p_value < 0.05) == (True, True)
    assert moved.correlation_change == pytest.approx(1.0, abs=0.15)
    assert joint(then[:99], then, 1) is None
