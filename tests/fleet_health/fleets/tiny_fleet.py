"""A refrigeration fleet of four units over one day, with every transport fault at a known place."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("refrigeration")
DEVICES = [f"REF-TEST-{n:05d}" for n in range(4)]
UNKNOWN = "REF-TEST-99999"
MINUTES = 18 * 60
FAILING = DEVICES[2]


@dataclass(frozen=True)
class TinyFleet:
    """Raw files, and how many rows of each fate they hold."""

    files: dict[str, dict[str, bytes]]
    fates: dict[tuple[str, str], int]


def tiny_fleet() -> TinyFleet:
    random = np.random.default_rng(11)
    start = pd.Timestamp("2026-01-15T00:00:00Z")
    rows: list[list[str]] = []
    header = [column.aliases[0] for column in PROFILE.source.header]
    for device in [*DEVICES, UNKNOWN]:
        last = MINUTES if device != UNKNOWN else 30
        noise = random.normal(size=(last, len(PROFILE.sensors)))
        for minute in range(last):
            cells = _cells(device, minute, noise[minute])
            instant = (start + pd.Timedelta(minutes=minute)).isoformat()
            rows.append([f"{device}-{minute}", device, instant, instant, *cells, str(minute)])
    again = [[*row[:-1], "99999"] for row in rows[:25]]  # sent again later
    empty = [[f"empty-{n}", DEVICES[0], rows[0][2], rows[0][3], *[""] * len(PROFILE.sensors), "7"] for n in range(3)]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([header, *rows, *again, *empty])
    torn = f"\n{DEVICES[1]},half a line\n" + ",".join(["x", DEVICES[1], "not a time", *[""] * (len(header) - 4), "1"])
    registry = "device_id,site_id,status,firmware_version,expected_sensors,updated_at\n" + "\n".join(
        f"{device},SITE-1,active,3.6,{';'.join(PROFILE.sensor_names)},2026-01-01T00:00:00Z" for device in DEVICES
    )
    return TinyFleet(
        files={
            "/Fleet/refrigeration/landing": {"day.csv": (text.getvalue() + torn[1:]).encode()},
            "/Fleet/refrigeration/registry_landing": {"registry.csv": registry.encode()},
        },
        fates={
            ("CLEAN", "NONE"): len(DEVICES) * MINUTES,
            ("QUARANTINE", "DEVICE_UNKNOWN"): 30,
            ("DEAD_LETTER", "ALL_SENSORS_NULL"): 3,
            ("DEAD_LETTER", "SCHEMA_MISMATCH"): 1,
            ("DEAD_LETTER", "DESERIALIZATION_FAILURE"): 1,
            ("DUPLICATE", "DUPLICATE_EVENT_ID"): 25,
        },
    )


def _cells(device: str, minute: int, noise: np.ndarray[tuple[int], np.dtype[np.float64]]) -> list[str]:
    """A healthy reading in the middle of every range; the failing unit shakes from 14:00 on."""
    cells = []
    for sensor, z in zip(PROFILE.sensors, noise, strict=True):
        if sensor.type == "boolean":
            cells.append("true" if z > 1.5 else "false")
            continue
        low, high = sensor.min or 0.0, sensor.max or 0.0
        value = (low + high) / 2 + z * (high - low) / 60
        shakes = device == FAILING and minute >= 14 * 60 and sensor.unit == "mm/s RMS"
        cells.append(repr(float(value + (high - low) / 3 if shakes else value)))
    return cells
