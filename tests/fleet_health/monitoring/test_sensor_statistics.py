"""A sensor's day against the days before it, by hand."""

from __future__ import annotations

import statistics
from datetime import datetime, timedelta
from typing import Any

import pytest

from fleet_health.monitoring.sensor_statistics import LEAST_DAYS, compared

START = datetime(2026, 1, 5)  # noqa: DTZ001 - naive, as rows of Spark are


def _days(means: list[float | None], top: float = 10.0) -> list[dict[str, Any]]:
    shares = {"p05": 0.0, "p50": 1.0, "p95": top - 1.0, "p99": top}
    return [{"period_start": START + timedelta(days=n), "mean": mean, **shares} for n, mean in enumerate(means)]


def test_a_day_is_compared_with_at_most_thirty_before_it_and_at_least_five() -> None:
    means: list[float | None] = [float(n % 3) for n in range(40)]
    found = list(compared(_days([*means, 9.0])))
    assert [one["baseline_mean"] for one in found[:LEAST_DAYS]] == [None] * LEAST_DAYS
    assert found[LEAST_DAYS]["baseline_mean"] == statistics.fmean([0, 1, 2, 0, 1])
    last, thirty = found[-1], [float(n % 3) for n in range(10, 40)]
    assert last["deviation_sigma"] == pytest.approx((9.0 - statistics.fmean(thirty)) / statistics.stdev(thirty))
    assert (last["shift_detected"], found[-2]["shift_detected"]) == (True, False)


def test_a_set_point_that_nobody_touched_is_at_no_distance() -> None:
    # the mean of equal values, as different orders of adding them leave it
    means: list[float | None] = [348.724474 + 1e-13 * (n % 2) for n in range(12)]
    found = list(compared(_days(means)))
    assert [one["deviation_sigma"] for one in found] == [None] * 12
    assert not any(one["shift_detected"] for one in found)


def test_a_day_without_values_is_no_shift_and_no_past() -> None:
    found = list(compared(_days([1.0, 2.0, None, 1.0, 2.0, 1.0, 2.0, None])))
    assert found[-3]["baseline_mean"] is None  # four days with values and one without
    assert found[-2]["baseline_mean"] == pytest.approx(1.4)
    assert (found[-1]["deviation_sigma"], found[-1]["shift_detected"]) == (None, False)
    raised = [*_days([1.0, 2.0, 1.0, 2.0, 1.0]), {**_days([1.5], top=12.0)[0], "p95": 10.5}]
    assert list(compared(raised))[-1]["shift_detected"]  # its 95th percentile is above their 99th
