"""The four rules, reading by reading, without Spark."""

from __future__ import annotations

import math
import random
from typing import Any

import pytest

from fleet_health.profiles.errors import ProfileReferenceError
from fleet_health.profiles.loader import shipped_profile
from fleet_health.streaming.rules import MINUTE, Firing, Plan, Reading, step
from fleet_health.streaming.state import DeviceState

PLAN = Plan.of(shipped_profile("refrigeration"))
HOUR = 60 * MINUTE
AVERAGE = {"vibration_avg_24h": 3.0}


def readings(sensor: str, *values: Any, every: int = MINUTE, **others: Any) -> list[Reading]:
    """One reading per value and minute; ``None`` is a message without the sensor, ``...`` no message at all."""
    return [
        Reading(f"{sensor}-{n}", n * every, n * every, {sensor: value, **others})
        for n, value in enumerate(values)
        if value is not ...
    ]


def run(stream: list[Reading], limits: dict[str, float | None] | None = None) -> tuple[DeviceState, list[Firing]]:
    """All firings; the state passes through its text form on the way, as it does in a state store."""
    state, fired = DeviceState(), []
    for reading in stream:
        state, told = step(state, reading, AVERAGE if limits is None else limits, PLAN)
        state = DeviceState.from_text(state.to_text())
        fired += told
    return state, fired


def minutes(stream: list[Reading], limits: dict[str, float | None] | None = None) -> list[tuple[str, int]]:
    """Rule and minute of every alert that somebody is told."""
    return [(f.rule, f.time // MINUTE) for f in run(stream, limits)[1] if not f.suppressed]


def pressure(*values: Any) -> list[Reading]:
    return readings("pressure_low_side", *values)


def coil(*values: Any, **others: Any) -> list[Reading]:
    return readings("temperature_evaporator", *values, **others)


def current(*values: Any) -> list[Reading]:
    return readings("current_compressor", *values)


def vibration(*values: Any) -> list[Reading]:
    return readings("vibration_compressor", *values)


@pytest.mark.parametrize(
    ("stream", "told"),
    [
        pytest.param(current(12.0, 40.0, 40.1), [("ST-01", 2)], id="overload"),
        pytest.param(vibration(9.0, 9.1), [("ST-02", 1)], id="vibration"),
        # medians of three from the second minute on; one low reading does not move a median, two do
        pytest.param(pressure(300, 300, 300, 300, 300, 300, 200, 200), [("ST-03", 7)], id="pressure"),
        pytest.param(coil(-20, -17.9, -15.8, -13.7), [("ST-04", 3)], id="cooling"),
    ],
)
def test_the_smallest_trigger_of_each_rule_and_nothing_below_it(
    stream: list[Reading], told: list[tuple[str, int]]
) -> None:
    assert minutes(stream) == told
    assert minutes(stream[:-1]) == []


def test_a_limit_itself_is_not_above_it() -> None:
    assert minutes(current(40.0)) == []
    assert minutes(vibration(9.0)) == []
    assert minutes(coil(-20, -18, -16, -14, -12)) == []
    assert minutes(pressure(*[300] * 6, 210, 210, 210)) == []  # exactly 30 percent
    assert minutes(pressure(*[300] * 6, 209.9, 209.9)) == [("ST-03", 7)]


@pytest.mark.case("SRV-EC-12")
def test_two_readings_beyond_the_range_fire_although_each_is_nulled() -> None:
    assert minutes(current(60.0, 60.0)) == [("ST-01", 1)]
    assert minutes(current(999.0, 12.0, 999.0)) == []  # glitches
    assert minutes(current(60.0, None, 60.0)) == []  # not in a row
    assert minutes(current(60.0, ..., 60.0)) == [("ST-01", 2)]  # one lost message is tolerated
    assert minutes(current(60.0, ..., ..., 60.0)) == []
    assert minutes(current(50.0, 50.1, 12.0)) == [("ST-01", 0)]  # the range's end can be measured
    assert minutes(vibration(101.0, 101.0, 101.0)) == []  # the rule that asks for it, and no other
    assert minutes(pressure(*[300] * 6, 40, 40, 40)) == []  # below the range: nulled, no fall


@pytest.mark.case("SRV-NU-03")
def test_without_an_average_the_vibration_rule_is_off_and_the_others_work() -> None:
    shaking = readings("vibration_compressor", 90.0, 90.0, current_compressor=45.0)
    assert minutes(shaking, {}) == [("ST-01", 0)]
    for useless in (None, math.nan, 0.0, -1.0):
        assert minutes(shaking, {"vibration_avg_24h": useless}) == [("ST-01", 0)]
    assert minutes(shaking) == [("ST-01", 0), ("ST-02", 0)]


def test_limits_of_the_device_win_over_the_defaults() -> None:
    assert minutes(current(31.0), {"current_limit_a": 30.0}) == [("ST-01", 0)]
    assert minutes(current(41.0), {"current_limit_a": 45.0}) == []
    assert minutes(current(41.0), {"current_limit_a": math.nan}) == [("ST-01", 0)]


def test_a_missing_value_neither_fires_nor_is_it_a_reading() -> None:
    assert minutes(current(None, math.nan, None)) == []
    assert minutes(coil(-20, -17.5, None, -12.5)) == [("ST-04", 3)]  # 2.5 a minute over the hole
    assert minutes(coil(-20, -17.5, None, None, -10.0, -7.5)) == []  # a pause of three minutes is a new start
    assert minutes(pressure(*[300] * 6, None, 200, None, 200)) == [("ST-03", 9)]


def test_a_fall_needs_history_and_is_measured_against_the_highest_median_of_five_minutes() -> None:
    assert minutes(pressure(300, 300, 300, 200, 200)) == []  # four minutes are known
    assert minutes(pressure(300, 300, 300, 200, 200, 200)) == [("ST-03", 5)]  # the highest is still in sight
    leak = [300 - 300 * 0.03 * minute / 60 for minute in range(600)]  # three percent an hour
    assert minutes(pressure(*leak)) == []
    slow = [300 - 12 * minute for minute in range(20)]  # four percent a minute: 20 percent in five
    assert minutes(pressure(*slow[:8])) == []
    assert minutes(pressure(*[300] * 6, ..., ..., ..., ..., ..., ..., 200, 200, 200)) == []  # after a pause


def test_a_coil_that_warms_slowly_or_in_jumps_is_not_reported() -> None:
    assert minutes(coil(-20, -17, -14, -14, -11, -8)) == []  # two minutes, then two minutes
    assert minutes(coil(*[-20 + minute for minute in range(30)])) == []
    assert minutes(coil(-20, -17, -14, -11, -8, -5)) == [("ST-04", 3)]  # one alert, later ones are silent
    ten_seconds = readings("temperature_evaporator", *[-20 + 0.4 * n for n in range(19)], every=MINUTE // 6)
    assert minutes(ten_seconds) == [("ST-04", 3)]


@pytest.mark.case("E2E-EC-08")
def test_a_healthy_defrost_is_silent_in_the_stream_and_in_the_fallback() -> None:
    from fleet_health.scoring.fallback import fired_rules

    profile = shipped_profile("refrigeration")
    cold, warm = [-20.0] * 360, [-20.0 + 3 * minute for minute in range(1, 9)]
    back = [4.0 - 2 * minute for minute in range(1, 13)]
    series = [*cold, *warm, *[4.0] * 2, *back, *cold[:30]]
    defrost = [False] * 360 + [True] * 20 + [False] * (len(series) - 380)

    def stream(gate: list[bool | None]) -> list[Reading]:
        return [
            Reading(str(n), n * MINUTE, n * MINUTE, {"temperature_evaporator": value, "defrost_cycle": on})
            for n, (value, on) in enumerate(zip(series, gate, strict=True))
        ]

    assert minutes(stream(defrost)) == []
    assert minutes(stream([None] * len(series))) == [("ST-04", 362)]  # unknown is not true

    # the quarter of an hour in which the coil is warmest
    window = {"temp_evaporator_mean": sum(series[366:374]) / 8, "defrost_active_fraction": 1.0}
    assert window["temp_evaporator_mean"] > 0
    assert fired_rules(window, profile) == []
    assert fired_rules({**window, "defrost_active_fraction": 0.4}, profile) == ["temp_evaporator_mean"]


def test_one_alert_per_rule_and_four_hours_from_the_first_one_on() -> None:
    at = [0, 239, 240, 241, 480, 719]
    stream = [Reading(str(m), m * MINUTE, m * MINUTE, {"current_compressor": 45.0}) for m in at]
    state, fired = run(stream)
    assert [(f.time // MINUTE, f.suppressed, f.first // MINUTE) for f in fired] == [
        (0, False, 0),
        (239, True, 0),
        (240, False, 240),  # exactly four hours later
        (241, True, 240),
        (480, False, 480),
        (719, True, 480),
    ]
    assert state.rules["ST-01"].silenced == 1
    both = readings("current_compressor", 45.0, 45.0, vibration_compressor=20.0)
    assert minutes(both) == [("ST-01", 0), ("ST-02", 0)]  # another rule is another event


def test_copies_change_nothing_and_late_readings_are_judged_alone() -> None:
    rising = coil(-20, -17.9, -15.8, -13.7)
    twice = [one for reading in rising for one in (reading, reading)]
    assert minutes(twice) == minutes(rising)
    assert run(twice)[0].repeated == 4
    late = Reading("late", 2 * MINUTE, 9 * MINUTE, {"current_compressor": 45.0, "temperature_evaporator": 99.0})
    state, fired = run([*coil(*[-20] * 6), late, late])
    assert [(f.rule, f.time // MINUTE) for f in fired] == [("ST-01", 2)]
    assert (state.late, state.repeated, state.newest) == (1, 1, 5 * MINUTE)
    # a late reading is no part of a sequence
    turned = [rising[0], rising[1], rising[3], rising[2]]
    assert minutes(turned) == [("ST-04", 3)]  # 4.2 degrees in two minutes, without the late one
    assert minutes([*current(12.0, 60.0), Reading("late", 0, HOUR, {"current_compressor": 60.0})]) == []
    # eleven minutes late is history, ten is not
    for behind, told in ((11, []), (10, [("ST-01", 9)])):
        old = Reading("old", (19 - behind + 0) * MINUTE, HOUR, {"current_compressor": 45.0})
        assert minutes([*current(*[12.0] * 20), old]) == told
    assert run([*current(*[12.0] * 20), Reading("old", 0, HOUR, {"current_compressor": 45.0})])[0].ignored == 1


def test_a_shuffled_history_of_one_device_is_the_same_history_in_order_of_receipt() -> None:
    random.seed(7)
    values = [random.uniform(30, 50) for _ in range(200)]
    stream = current(*values)
    state, fired = run(stream)
    again = sorted(random.sample(stream, len(stream)), key=lambda r: (r.received, r.time, r.event_id))
    assert run(again) == (state, fired)
    assert len(fired) > 50


def test_a_profile_without_streaming_says_what_to_add() -> None:
    with pytest.raises(ProfileReferenceError, match="no `streaming` section"):
        Plan.of(shipped_profile("air_handler"))
