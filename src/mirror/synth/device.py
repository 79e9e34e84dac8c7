"""One device's series: healthy signals first, then what its anomalies do to them. Depends on seed and device only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mirror.synth.anomalies import Anomaly
from mirror.synth.fleet import BooleanSensor, Fleet, Scenario
from mirror.synth.readings import Onset, Readings
from mirror.synth.signals import autoregressive, correlate, periodic_runs, share_runs


@dataclass(frozen=True)
class Device:
    """What the registry knows of a device, and the identity it does not know (``stranger_id``)."""

    index: int
    device_id: str
    site_id: str
    firmware_version: str
    stranger_id: str
    expected_sensors: tuple[str, ...]


@dataclass(frozen=True)
class Injected:
    """Ground truth: a scenario as it was applied, bounds in hours since the start of the series."""

    device_id: str
    kind: str
    scenario: Scenario
    onset_hours: float
    end_hours: float
    sensors: tuple[str, ...]


def generator(seed: int, index: int, purpose: int) -> np.random.Generator:
    """The random stream of one device for one purpose; independent of every other device, purpose and chunk.

    Each purpose has its own stream so that adding an anomaly or a transport fault leaves the healthy signals as they
    were.
    """
    return np.random.Generator(np.random.SFC64(np.random.SeedSequence(entropy=seed, spawn_key=(index, purpose))))


IDENTITY, SIGNALS, ANOMALIES, TRANSPORT, FAULTS, CHOICE = range(6)
STRANGERS = 10_000_000
"""Added to a device's index it gives an identity that no registry of a fleet of this size holds."""


def describe(fleet: Fleet, seed: int, index: int) -> Device:
    """Identity, firmware and fitted sensors of a device."""
    rng = generator(seed, index, IDENTITY)
    shares = fleet.firmware_shares
    firmware = fleet.firmware[int(np.searchsorted(np.cumsum(shares), rng.uniform() * shares.sum(), side="right"))]
    missing = set(firmware.missing)
    for variant in fleet.variants:
        if rng.uniform() < variant.share:
            missing.update(variant.missing)
    return Device(
        index=index,
        device_id=fleet.device_id.format(index=index),
        site_id=fleet.site_id.format(site=index // fleet.devices_per_site),
        firmware_version=firmware.version,
        stranger_id=fleet.device_id.format(index=index + STRANGERS),
        expected_sensors=tuple(name for name in fleet.sensor_names if name not in missing),
    )


def healthy(fleet: Fleet, seed: int, device: Device, length: int) -> Readings:
    """``length`` readings of a device in health; sensors it does not have are missing throughout."""
    rng = generator(seed, device.index, SIGNALS)
    step = fleet.interval_seconds / 60.0
    offsets = rng.standard_normal(len(fleet.numeric)) * fleet.device_offset_share
    signals = correlate(autoregressive(rng, len(fleet.numeric), length, fleet.phi), fleet.parents)
    centre, spread = fleet.marginals
    signals *= spread[:, None]
    signals += (centre + offsets * spread)[:, None]
    numbers = iter(signals)
    values = {
        sensor.name: _runs(rng, sensor, length, step) if isinstance(sensor, BooleanSensor) else next(numbers)
        for sensor in fleet.sensors
    }
    return Readings(
        minutes=np.arange(length) * step,
        values=values,
        missing=dict(zip(fleet.sensor_names, _missing(fleet, device, length), strict=True)),
        sent=np.ones(length, dtype=np.bool_),
        clock_shift=np.zeros(length, dtype=np.int64),
        copies=np.ones(length, dtype=np.int64),
        held_until=np.zeros(length),
        stranger=np.zeros(length, dtype=np.bool_),
        garbled=np.zeros(length, dtype=np.int8),
    )


def _missing(fleet: Fleet, device: Device, length: int) -> NDArray[np.bool_]:
    """One row per sensor."""
    absent = np.array([name not in device.expected_sensors for name in fleet.sensor_names])
    return np.repeat(absent, length).reshape(len(absent), length)


def _runs(rng: np.random.Generator, sensor: BooleanSensor, length: int, step: float) -> NDArray[np.bool_]:
    if sensor.every_hours is not None:
        every = (sensor.every_hours[0] * 60.0, sensor.every_hours[1] * 60.0)
        return periodic_runs(rng, length, sensor.minutes, every, step)
    assert sensor.share is not None  # noqa: S101 - the fleet's validator guarantees one of the two
    return share_runs(rng, length, sensor.minutes, sensor.share, step)


def inject(
    fleet: Fleet, seed: int, device: Device, readings: Readings, anomalies: Sequence[Anomaly]
) -> tuple[Injected, ...]:
    """Applies the device's anomalies in the order given; returns the truth. One that begins after the end leaves no
    trace.
    """
    if not anomalies:
        return ()
    rng = generator(seed, device.index, ANOMALIES)
    step = fleet.interval_seconds / 60.0
    total_hours = readings.minutes.size * step / 60.0
    truth = []
    for anomaly in anomalies:
        scenario = fleet.scenarios[anomaly.kind]
        onset = scenario.onset_hours if anomaly.onset_hours is None else anomaly.onset_hours
        end = total_hours if scenario.duration_hours is None else min(total_hours, onset + scenario.duration_hours)
        first, last = (int(np.ceil(hours * 60.0 / step - 1e-9)) for hours in (onset, end))
        if first >= min(last, readings.minutes.size):
            continue
        part = slice(first, last)
        window = Onset(part, readings.minutes[part] - onset * 60.0, end * 3600.0)
        for effect in scenario.effects:
            effect.apply(readings, window, rng)
        sensors = tuple(dict.fromkeys(name for effect in scenario.effects for name in effect.sensors))
        truth.append(Injected(device.device_id, anomaly.kind, scenario, onset, end, sensors))
    return tuple(truth)
