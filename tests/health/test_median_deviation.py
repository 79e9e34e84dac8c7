"""The band around the median is what plain numpy says it is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mirror.health.finding import Severity, Status
from mirror.health.judging import Judgement
from mirror.health.median import BoundsType, band
from mirror.health.thresholds import MedianDeviation

VALUES = st.floats(-1e6, 1e6)


@pytest.mark.parametrize("kind", BoundsType)
def test_verdicts_by_chance_equal_a_numpy_computation(kind: BoundsType) -> None:
    random = np.random.default_rng(18)
    for _ in range(40):
        earlier = random.normal(0.0, 10.0, random.integers(2, 40)).round(1).tolist()
        verdict_equals_numpy(earlier, float(random.normal(0.0, 30.0)), float(random.uniform(0.1, 5.0)), kind)


@pytest.mark.nightly
@settings(max_examples=1000, deadline=None, database=None)
@given(st.lists(VALUES, min_size=2, max_size=40), VALUES, st.floats(0.1, 10), st.sampled_from(BoundsType))
def test_verdicts_equal_a_numpy_computation(earlier: list[float], value: float, k: float, kind: BoundsType) -> None:
    verdict_equals_numpy(earlier, value, k, kind)


def verdict_equals_numpy(earlier: list[float], value: float, k: float, kind: BoundsType) -> None:
    points = np.array(earlier[-10:])
    middle = np.median(points)
    sigma = 1.4826 * np.median(np.abs(points - middle))
    outside = {
        BoundsType.LOWER_BOUND: value < middle - k * sigma,
        BoundsType.UPPER_BOUND: value > middle + k * sigma,
        BoundsType.TWO_TAILED: value < middle - k * sigma or value > middle + k * sigma,
    }[kind]
    rule = MedianDeviation(
        dataPoints=min(10, len(earlier)), deviationThreshold=k, boundsType=kind, severity="CRITICAL", reason="r"
    )
    judgement = Judgement("x")
    judgement.deviation(rule, earlier, value, value)
    found = judgement.finding(value, event="e")
    assert (found.status is Status.FAILED) == bool(outside)
    assert found.severity is (Severity.CRITICAL if outside else None)


def test_a_constant_history_allows_nothing_else_and_says_so() -> None:
    flat = band([5.0, 5.0, 5.0, 9.0], 3)
    assert (flat.median, flat.sigma, flat.low, flat.high) == (5.0, 0.0, 5.0, 5.0)
    rule = MedianDeviation(dataPoints=4, deviationThreshold=3, severity="MODERATE", reason="it never moves")
    judgement = Judgement("rows")
    judgement.deviation(rule, [5.0, 5.0, 5.0, 9.0], 6.0, 6.0)
    said = judgement.finding(6.0, event="e").message
    assert said == (
        "rows: 6 is more than 3 sigma above the median 5 of 4 (sigma 0, a constant history) (MODERATE: it never moves)"
    )


@pytest.mark.parametrize("kind", BoundsType)
def test_nan_lies_outside_every_band(kind: BoundsType) -> None:
    found = band([1.0, 2.0, 4.0], 3, kind)
    assert found.below(float("nan")) is (kind is not BoundsType.UPPER_BOUND)
    assert found.above(float("nan")) is (kind is not BoundsType.LOWER_BOUND)


def test_too_few_points_judge_nothing() -> None:
    rule = MedianDeviation(dataPoints=3, deviationThreshold=1, severity="MODERATE", reason="r")
    judgement = Judgement("x")
    judgement.deviation(rule, [1.0, 1.0], 99.0, 99.0)
    found = judgement.finding(99.0, event="e")
    assert found.status is Status.NOT_APPLICABLE
    assert found.message == "x: 99 (2 of 3 data points for the median deviation)"
