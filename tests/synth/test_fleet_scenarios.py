"""Each scenario does what its line says, from its onset on and not before; the shares and shapes are measured."""

from __future__ import annotations

import numpy as np
import pytest

from mirror.synth import Anomaly, Fleet, load_fleet
from mirror.synth.device import describe, healthy, inject
from mirror.synth.effects import effects
from mirror.synth.readings import Readings

HOURS = 26
SEED = 15


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet()


def _pair(
    fleet: Fleet, kind: str, hours: float = HOURS, onset: float | None = None
) -> tuple[Readings, Readings, tuple]:
    device = next(d for d in (describe(fleet, SEED, i) for i in range(50)) if len(d.expected_sensors) == 14)
    calm, struck = (healthy(fleet, SEED, device, int(hours * 60)) for _ in range(2))
    truth = inject(fleet, SEED, device, struck, [Anomaly(device.index, kind, onset)])
    return calm, struck, truth


def test_every_effect_is_used_by_a_shipped_scenario(fleet: Fleet) -> None:
    used = {type(effect) for scenario in fleet.scenarios.values() for effect in scenario.effects}
    assert used == set(effects().values())


@pytest.mark.parametrize("kind", sorted(load_fleet().scenarios))
def test_nothing_changes_before_the_onset_or_outside_its_sensors(fleet: Fleet, kind: str) -> None:
    calm, struck, truth = _pair(fleet, kind)
    (injected,) = truth
    first, last = int(injected.onset_hours * 60), int(np.ceil(injected.end_hours * 60))
    changed = False
    for name in fleet.sensor_names:
        differs = (calm.values[name] != struck.values[name]) | (calm.missing[name] != struck.missing[name])
        assert not differs[:first].any(), name
        assert not differs[last:].any(), name
        if injected.sensors and name not in injected.sensors:
            assert not (calm.values[name] != struck.values[name]).any(), name
        changed |= bool(differs.any())
    for name in ("sent", "clock_shift", "copies", "held_until"):
        differs = getattr(calm, name) != getattr(struck, name)
        assert not differs[:first].any()
        changed |= bool(differs.any())
    assert changed


def test_leak_falls_three_percent_an_hour_to_its_floor(fleet: Fleet) -> None:
    calm, struck, _ = _pair(fleet, "refrigerant_leak")
    ratio = struck.values["pressure_low_side"] / calm.values["pressure_low_side"]
    assert ratio[10 * 60] == pytest.approx(0.7)
    assert ratio[-1] == pytest.approx(0.3)
    rise = struck.values["temperature_evaporator"] - calm.values["temperature_evaporator"]
    assert rise[20 * 60] == pytest.approx(10.0)


def test_spike_multiplies_from_hour_twelve(fleet: Fleet) -> None:
    calm, struck, _ = _pair(fleet, "compressor_vibration_spike")
    ratio = struck.values["vibration_compressor"] / calm.values["vibration_compressor"]
    assert (ratio[719], ratio[720]) == (1.0, 4.0)
    assert (struck.values["current_compressor"] / calm.values["current_compressor"])[-1] == pytest.approx(1.5)


def test_stuck_sensor_overwrites_missing_values(fleet: Fleet) -> None:
    device = describe(fleet, SEED, 0)
    readings = healthy(fleet, SEED, device, HOURS * 60)
    readings.missing["temperature_evaporator"][:] = True
    inject(fleet, SEED, device, readings, [Anomaly(0, "sensor_failure")])
    assert set(readings.values["temperature_evaporator"][360:]) == {-25.0}
    assert not readings.missing["temperature_evaporator"][360:].any()
    assert readings.missing["temperature_evaporator"][:360].all()


def test_dropout_blanks_all_numeric_sensors_together_in_a_third_of_rows(fleet: Fleet) -> None:
    _, struck, _ = _pair(fleet, "intermittent_dropout")
    missing = np.stack([struck.missing[name] for name in struck.numeric])
    assert (missing.all(axis=0) == missing.any(axis=0)).all()
    assert missing[0, 480:].mean() == pytest.approx(0.3, abs=0.05)
    assert not struck.missing["door_open_close"].any()


def test_cooling_loss_ramps_then_holds_and_ends(fleet: Fleet) -> None:
    calm, struck, _ = _pair(fleet, "cooling_loss")
    added = struck.values["temperature_evaporator"] - calm.values["temperature_evaporator"]
    assert added[[540, 543, 546, 600, 659, 660]] == pytest.approx([0.0, 9.0, 18.0, 18.0, 18.0, 0.0])


def test_compressor_stop_cools_towards_ambient(fleet: Fleet) -> None:
    _, struck, _ = _pair(fleet, "compressor_stop")
    assert not struck.values["current_compressor"][360:].any()
    assert struck.values["temperature_discharge"][360] > 35
    assert struck.values["temperature_discharge"][-1] == pytest.approx(22.0, abs=0.01)


def test_short_cycling_is_two_on_two_off(fleet: Fleet) -> None:
    _, struck, _ = _pair(fleet, "short_cycling")
    running = struck.values["current_compressor"][480 : 480 + 8] > 0
    assert running.tolist() == [True, True, False, False] * 2


def test_silence_and_half_rate_send_fewer_messages(fleet: Fleet) -> None:
    _, quiet, _ = _pair(fleet, "full_dropout")
    assert not quiet.sent[360:540].any()
    assert quiet.sent.sum() == HOURS * 60 - 180
    _, half, _ = _pair(fleet, "half_rate")
    assert half.sent.sum() == HOURS * 30


def test_door_of_a_busy_case_is_open_two_fifths_of_the_time(fleet: Fleet) -> None:
    _, struck, _ = _pair(fleet, "busy_display_case", hours=240)
    assert struck.values["door_open_close"].mean() == pytest.approx(0.4, abs=0.05)


def test_nan_is_not_null(fleet: Fleet) -> None:
    _, struck, _ = _pair(fleet, "nan_values")
    assert np.isnan(struck.values["superheat"][120:180]).all()
    assert not struck.missing["superheat"].any()


def test_an_onset_of_ones_own_moves_the_scenario(fleet: Fleet) -> None:
    _, _, truth = _pair(fleet, "cooling_loss", onset=2.5)
    assert (truth[0].onset_hours, truth[0].end_hours) == (2.5, 4.5)


def test_a_scenario_after_the_end_is_no_truth(fleet: Fleet) -> None:
    assert _pair(fleet, "compressor_vibration_spike", hours=6)[2] == ()
