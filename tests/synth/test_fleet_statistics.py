"""Measures what the generator promises: marginals, correlations, AR(1) structure, device offsets, boolean runs."""

from __future__ import annotations

import numpy as np
import pytest

from mirror.synth import Fleet, load_fleet
from mirror.synth.device import describe, healthy
from mirror.synth.fleet import BooleanSensor

DEVICES = 40
LENGTH = 3 * 1440


@pytest.fixture(scope="module")
def fleet() -> Fleet:
    return load_fleet()


@pytest.fixture(scope="module")
def series(fleet: Fleet) -> dict[str, np.ndarray]:
    """Per sensor, shape (devices, minutes)."""
    all_readings = [healthy(fleet, 7, describe(fleet, 7, index), LENGTH) for index in range(DEVICES)]
    return {name: np.stack([r.values[name] for r in all_readings]) for name in fleet.sensor_names}


def test_marginals_match_the_fleet_file(fleet: Fleet, series: dict[str, np.ndarray]) -> None:
    # phi 0.99 leaves about LENGTH * (1 - phi) / (1 + phi) = 22 independent values a device.
    independent = DEVICES * LENGTH * (1 - fleet.phi) / (1 + fleet.phi)
    for sensor in fleet.numeric:
        values = series[sensor.name]
        spread = sensor.std * np.sqrt(1 + fleet.device_offset_share**2)
        assert abs(values.mean() - sensor.mean) < 4.5 * sensor.std / np.sqrt(independent), sensor.name
        assert values.std() == pytest.approx(spread, rel=4.5 / np.sqrt(2 * independent)), sensor.name


def test_correlations_match_their_targets_and_others_are_none(fleet: Fleet, series: dict[str, np.ndarray]) -> None:
    names = [sensor.name for sensor in fleet.numeric]
    within = [series[name] - series[name].mean(axis=1, keepdims=True) for name in names]
    measured = np.corrcoef([values.ravel() for values in within])
    for pair in fleet.correlations:
        first, second = names.index(pair.first), names.index(pair.second)
        assert measured[first, second] == pytest.approx(pair.rho, abs=0.12), pair
    ambient = names.index("temperature_ambient")
    assert np.abs(np.delete(measured[ambient], ambient)).max() < 0.12


@pytest.mark.case("XSN-HP-04")
def test_without_memory_the_targets_are_met_closely(fleet: Fleet) -> None:
    """20,000 rows of one device that forgets from minute to minute: independent draws of the joint distribution."""
    readings = healthy(fleet.model_copy(update={"phi": 0.0}), 5, describe(fleet, 5, 0), 20_000)
    names = [sensor.name for sensor in fleet.numeric]
    measured = np.corrcoef([readings.values[name] for name in names])
    assert len(fleet.correlations) >= 3
    for pair in fleet.correlations:
        assert measured[names.index(pair.first), names.index(pair.second)] == pytest.approx(pair.rho, abs=0.05), pair
    for sensor in fleet.numeric:
        assert readings.values[sensor.name].std() == pytest.approx(sensor.std, rel=0.02), sensor.name


def test_minutes_follow_an_autoregression_of_order_one(fleet: Fleet, series: dict[str, np.ndarray]) -> None:
    for sensor in fleet.numeric:
        values = series[sensor.name] - series[sensor.name].mean(axis=1, keepdims=True)
        variance = (values**2).mean()
        lag = {k: (values[:, k:] * values[:, :-k]).mean() / variance for k in (1, 30)}
        assert lag[1] == pytest.approx(fleet.phi, abs=0.004), sensor.name
        assert lag[30] == pytest.approx(fleet.phi**30, abs=0.12), sensor.name
        # No white noise on top: a step has variance 2 (1 - phi) of the marginal, not more.
        steps = np.diff(series[sensor.name], axis=1)
        assert steps.std() == pytest.approx(sensor.std * np.sqrt(2 * (1 - fleet.phi)), rel=0.02), sensor.name


def test_a_quarter_hour_sees_a_fifth_of_the_spread(fleet: Fleet, series: dict[str, np.ndarray]) -> None:
    # The figure published for phi 0.99: 0.21 of the marginal deviation inside 15 minutes, 0.39 inside an hour.
    for minutes, share in ((15, 0.21), (60, 0.39)):
        ratios = [
            series[s.name].reshape(DEVICES, -1, minutes).std(axis=2, ddof=1).mean() / s.std for s in fleet.numeric
        ]
        assert np.mean(ratios) == pytest.approx(share, abs=0.02)


def test_devices_differ_by_a_tenth_of_the_deviation(fleet: Fleet) -> None:
    long = [healthy(fleet.model_copy(update={"phi": 0.0}), 3, describe(fleet, 3, i), 2000) for i in range(150)]
    for sensor in fleet.numeric[:4]:
        means = np.array([readings.values[sensor.name].mean() for readings in long])
        expected = sensor.std * np.sqrt(fleet.device_offset_share**2 + 1 / 2000)
        assert means.std(ddof=1) == pytest.approx(expected, rel=0.25), sensor.name


def test_booleans_are_true_in_runs_of_the_stated_length(fleet: Fleet, series: dict[str, np.ndarray]) -> None:
    for sensor in fleet.sensors:
        if not isinstance(sensor, BooleanSensor):
            continue
        flags = series[sensor.name]
        edges = np.diff(np.pad(flags, ((0, 0), (1, 1))).astype(int), axis=1)
        device, begin = np.nonzero(edges == 1)
        _, end = np.nonzero(edges == -1)
        inner = (begin > 0) & (end < LENGTH)
        runs = (end - begin)[inner]
        assert runs.min() >= np.floor(sensor.minutes[0]), sensor.name
        assert runs.mean() == pytest.approx(np.mean(sensor.minutes), rel=0.1), sensor.name
        if sensor.share is not None:
            assert flags.mean() == pytest.approx(sensor.share, abs=0.01), sensor.name
        if sensor.every_hours is not None:
            assert runs.max() <= sensor.minutes[1] + 1
            gaps = np.diff(begin[inner])[np.diff(device[inner]) == 0] / 60.0
            assert gaps.min() > sensor.every_hours[0] - 0.1
            assert gaps.max() < sensor.every_hours[1] + 0.1


def test_firmware_shares_and_missing_sensors(fleet: Fleet) -> None:
    devices = [describe(fleet, 5, index) for index in range(2000)]
    for firmware in fleet.firmware:
        mine = [device for device in devices if device.firmware_version == firmware.version]
        assert len(mine) / len(devices) == pytest.approx(firmware.share, abs=0.035), firmware.version
        assert all(set(firmware.missing).isdisjoint(device.expected_sensors) for device in mine)
    without = [device for device in devices if "humidity" not in device.expected_sensors]
    assert len(without) / len(devices) == pytest.approx(fleet.variants[0].share, abs=0.025)
