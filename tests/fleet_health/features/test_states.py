"""Partial states: parts merged against one pass."""

from __future__ import annotations

import numpy as np
import pytest

from fleet_health.features.kernel import Centred, Groups
from fleet_health.features.states import PartialStates

MERGEABLE = ("mean", "std", "min", "max", "slope", "fraction")


def whole(values: np.ndarray, minutes: np.ndarray, groups: Groups) -> dict[str, np.ndarray]:
    sensor = Centred.of(values, groups)
    return {
        "mean": sensor.mean,
        "fraction": sensor.mean,
        "std": sensor.std(),
        "min": sensor.low,
        "max": sensor.high,
        "slope": sensor.slope(Centred.of(minutes, groups)),
    }


@pytest.mark.case("FEN-HP-04")
def test_five_minute_parts_merge_to_what_one_pass_gives() -> None:
    """Windows of a quarter, an hour and a day; large values with small deviations, nulls, whole parts without any."""
    random = np.random.default_rng(4)
    minute = np.repeat(np.arange(2 * 1440), 2) + random.random(2 * 2 * 1440)
    values = 1500 + random.normal(0, 0.1, len(minute)) + 1e-4 * minute
    values[random.random(len(minute)) < 0.3] = np.nan
    values[(minute >= 30) & (minute < 36)] = np.nan  # a part without any, and one with some
    values[(minute >= 60) & (minute < 75)] = np.nan  # a window without any
    values[(minute >= 90) & (minute < 105)] = np.nan
    values[np.searchsorted(minute, 97)] = 1500.0  # a window with one
    for length in (15, 60, 1440):
        since = minute % length
        window, part = minute // length, minute // 5
        once = whole(values, since, Groups.where_changes(window))
        parts = Groups.where_changes(part)
        states = PartialStates.of(values, since, parts).merged(Groups.where_changes(window[parts.starts]))
        for name in MERGEABLE:
            np.testing.assert_allclose(states.statistic(name), once[name], rtol=1e-9, atol=1e-9, err_msg=name)
        assert np.isnan(once["mean"]).sum() == (1 if length == 15 else 0)
        assert states.count.sum() == np.count_nonzero(~np.isnan(values))


def test_readings_of_one_instant_have_no_slope_in_parts_either() -> None:
    values, minutes = np.array([1.0, 2.0, 4.0]), np.array([5.1, 5.1, 5.1])
    states = PartialStates.of(values, minutes, Groups.where_changes(np.array([0, 1, 2])))
    merged = states.merged(Groups.where_changes(np.zeros(3)))
    assert np.isnan(merged.statistic("slope")).all()
    assert merged.statistic("std")[0] == pytest.approx(np.std(values, ddof=1), rel=1e-12)


def test_a_percentile_has_no_partial_state() -> None:
    states = PartialStates.of(np.array([1.0]), np.array([0.0]), Groups.where_changes(np.zeros(1)))
    with pytest.raises(ValueError, match="'p95' has no partial state"):
        states.statistic("p95")
