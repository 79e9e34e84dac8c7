"""Hand-made clean readings: one device per case, so that one Spark job answers them all."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pandas as pd

from fleet_health.contracts.clean import clean_schema
from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("refrigeration")
START = pd.Timestamp("2026-01-15 10:00:00", tz="UTC")
DAY = pd.Timestamp("2026-01-15 00:00:00", tz="UTC")
CLOCK_CHANGE = pd.Timestamp("2026-03-08 08:00:00", tz="UTC")  # 02:00 in Chicago, where the clock then shows 03:00
WATERMARK = pd.Timestamp("2026-03-10 00:30:00", tz="UTC")

EVAPORATOR, CONDENSER, VIBRATION = "temperature_evaporator", "temperature_condenser", "vibration_compressor"
HIGH, LOW, CURRENT = "pressure_high_side", "pressure_low_side", "current_compressor"
Row = dict[str, Any]


def at(
    device: str, minute: float, *, start: pd.Timestamp = START, received: pd.Timestamp | None = None, **cells: Any
) -> Row:
    """A reading, received at once unless said otherwise; sensors that are not named are null."""
    instant = start + pd.Timedelta(microseconds=round(minute * 60_000_000))
    row: Row = dict.fromkeys(PROFILE.sensor_names)
    row |= {"quality_flags": [], "sensor_null_count": 0, "timestamp_ingested": received or instant, **cells}
    return row | {"event_id": f"{device}-{instant}-{cells}", "device_id": device, "timestamp_utc": instant}


def series(device: str, sensor: str, values: list[Any], minutes: list[float] | None = None) -> list[Row]:
    where = minutes or [float(n) for n in range(len(values))]
    return [at(device, minute, **{sensor: value}) for minute, value in zip(where, values, strict=True)]


def full(device: str, minute: float, **cells: Any) -> Row:
    """A reading in which every sensor has a value of its own that grows by one a minute; booleans are true."""
    numbers = ((s, 10.0 + minute + 3 * place) for place, s in enumerate(PROFILE.sensors))
    values = {s.name: True if s.type == "boolean" else number for s, number in numbers}
    return at(device, minute, **(values | cells))


def cross(device: str, **cells: Any) -> list[Row]:
    return [at(device, 0, **cells)]


GOLDEN: dict[str, tuple[list[Row], str, float | None]] = {
    "GC-01": (series("GC-01", EVAPORATOR, [1.0, None, 3.0, 7.0]), "temp_evaporator_slope", 1.857142857142857),
    "GC-02": (series("GC-02", EVAPORATOR, [-20.0], [4.0]), "temp_evaporator_slope", None),
    "GC-03": (series("GC-03", EVAPORATOR, [1.0, 2.0, 3.0], [5.0] * 3), "temp_evaporator_slope", None),
    "GC-04": (series("GC-04", EVAPORATOR, [-25.0]), "temp_evaporator_std", None),
    "GC-05": (series("GC-05", EVAPORATOR, [1.0, 3.0]), "temp_evaporator_std", 1.4142135623730951),
    "GC-06": (series("GC-06", EVAPORATOR, [-25.1] * 15), "temp_evaporator_std", 0.0),
    "GC-07": (series("GC-07", VIBRATION, [float(n) for n in range(1, 16)]), "vibration_compressor_p95", 14.3),
    "GC-14": (series("GC-14", "door_open_close", [True, False, None, False]), "door_open_fraction", 0.3333333333333333),
    "GC-15": (
        [at("GC-15", n, sensor_null_count=nulls) for n, nulls in enumerate([0, 2, 14])],
        "sensor_completeness",
        0.6190476190476191,
    ),
    "GC-16": (
        [
            at("GC-16", n, quality_flags=flags)
            for n, flags in enumerate([[], ["RANGE_VIOLATION"], ["RANGE_VIOLATION", "SENSOR_GAP"]])
        ],
        "quality_flag_count",
        2.0,
    ),
    "GC-08": (cross("GC-08", **{HIGH: 1500.0, LOW: 200.0}), "pressure_ratio", 7.5),
    "GC-09": (cross("GC-09", **{HIGH: 500.0, LOW: 800.0}), "pressure_ratio", 0.625),
    "GC-10": (cross("GC-10", **{HIGH: 1500.0}), "pressure_ratio", None),
    "GC-11": (
        cross("GC-11", **{CURRENT: 12.0, CONDENSER: 40.0, EVAPORATOR: -25.0}),
        "current_per_temp_spread",
        0.18461538461538463,
    ),
    "GC-12": (
        cross("GC-12", **{CURRENT: 12.0, CONDENSER: 25.0, EVAPORATOR: 25.0}),
        "current_per_temp_spread",
        None,
    ),
    "GC-13": (
        cross("GC-13", **{CURRENT: 12.0, CONDENSER: 20.0, EVAPORATOR: 30.0}),
        "current_per_temp_spread",
        -1.2,
    ),
}

# --- what the cases of the matrix look at, by device
CASES: list[Row] = [
    # a whole day: a ramp of 0.1 a minute, and noise that a naive sum of squares would lose in its last digits
    *(
        at("ramp", n, start=DAY, **{EVAPORATOR: -60 + 0.1 * n, HIGH: 1500.1 + 0.2 * ((n * 7919) % 1440) / 1439})
        for n in range(1440)
    ),
    *(full("one null", n, **{CONDENSER: None}) for n in range(15)),
    *(full("one of fifteen", n, **({} if n == 7 else {EVAPORATOR: None})) for n in range(15)),
    *(full("two of fifteen", n, **({} if n in (3, 9) else {EVAPORATOR: None})) for n in range(15)),
    *(at("door", n, door_open_close=(True, None, None, True, False)[n]) for n in range(5)),
    *(at("no sensor", n, sensor_null_count=14) for n in range(15)),
    *(at("dense", n * 15 / 17, **{EVAPORATOR: -20.0}) for n in range(17)),  # 17, then silence, then 15 and 3
    *(at("dense", n, **{EVAPORATOR: -20.0}) for n in (*range(30, 45), 45, 50, 55)),
    *(
        at(name, n, **{EVAPORATOR: value})
        for name, value in (("d-1", 1.0), ("d-11", 11.0), ("d-1 ", 5.0))
        for n in (0, 1)
    ),
    at("edge", 15 - 1e-3 / 60, temperature_ambient=1.0),
    at("edge", 15, temperature_ambient=2.0),
    at("edge", 1440 - 1e-3 / 60, start=DAY, temperature_ambient=3.0),
    *series("constant", EVAPORATOR, [-25.1] * 15),
    *series("one instant", EVAPORATOR, [1.0, 2.0, 4.0], [5.0] * 3),
    *series("spike of 19", VIBRATION, [1.0] * 18 + [100.0], [n / 2 for n in range(19)]),
    *series("spike of 20", VIBRATION, [1.0] * 19 + [100.0], [n / 2 for n in range(20)]),
    *(at("clock change", n, start=CLOCK_CHANGE, **{EVAPORATOR: -20.0}) for n in (-61, -1, 0, 61)),
    at("ancient", -1, start=pd.Timestamp("1969-12-31 23:55", tz="UTC"), temperature_ambient=5.0),
    # the watermark: 00:30 has passed windows that ended by 00:10, so by 00:00, and no other
    at("last", -35, start=WATERMARK, temperature_ambient=2.0),
    at("last", -25, start=WATERMARK, temperature_ambient=2.0),
    at("last", 0, start=WATERMARK, temperature_ambient=2.0),
    # frozen: one second after a quarter of an hour was written; the hour still takes it at its next boundary
    at("late", 1, temperature_discharge=1.0),
    at("late", 2, received=START + pd.Timedelta(minutes=35, seconds=1), temperature_discharge=99.0),
    at("late hour", 1, temperature_discharge=1.0),
    at("late hour", 2, received=START + pd.Timedelta(minutes=200), temperature_discharge=3.0),
    at("late hour", 3, received=START + pd.Timedelta(minutes=200, microseconds=1), temperature_discharge=99.0),
    at("drifting", 1, temperature_ambient=1.0),
    at("drifting", 2, quality_flags=["CLOCK_DRIFT"], temperature_ambient=50.0),
    # features of several sensors
    *cross(
        "spreads", **{CONDENSER: 40.0, EVAPORATOR: -25.0, "temperature_discharge": 70.0, "temperature_suction": -10.0}
    ),
    full("no low side", 0, **{LOW: None}),
    full("no condenser", 0, **{CONDENSER: None}),
    full("no pressure", 0, **{HIGH: None, LOW: None}),
    *cross("swapped a", **{HIGH: 1500.0, LOW: 300.0}),
    *cross("swapped b", **{HIGH: 300.0, LOW: 1500.0}),
    *cross("tiny spread", **{CURRENT: 12.0, CONDENSER: 25.0 + 1e-7, EVAPORATOR: 25.0}),
    *(at("means", n, **{HIGH: high, LOW: low}) for n, (high, low) in enumerate([(1000.0, 100.0), (1000.0, 500.0)])),
    *cross("zero low side", **{HIGH: 1500.0, LOW: 0.0, CURRENT: 12.0, CONDENSER: 40.0, EVAPORATOR: -25.0}),
]

# what a leak would look at: the future of a device, other devices at the same time, and a neighbour gone wild
LATER = [
    at(case, minute, temperature_evaporator=29.0, vibration_compressor=99.0) for case in GOLDEN for minute in (15, 61)
]
OTHERS = [at(f"other {n % 10}", n, temperature_evaporator=29.0, pressure_low_side=51.0) for n in range(60)]


def frame(rows: list[Row], seed: int) -> pd.DataFrame:
    """Clean rows in a random order."""
    shuffled = list(rows)
    random.Random(seed).shuffle(shuffled)
    made = pd.DataFrame(shuffled).reindex(columns=clean_schema(PROFILE).fieldNames())
    for sensor in PROFILE.sensors:
        made[sensor.name] = made[sensor.name].astype("boolean" if sensor.type == "boolean" else "float64")
    made["line_number"] = 0
    made["source_file"] = "a"
    made["date"] = made["timestamp_utc"].dt.date
    return made


def plain_rows() -> list[Row]:
    return [row for case in GOLDEN.values() for row in case[0]] + CASES


def ramp_deviation(readings: int) -> float:
    """Sample deviation of 0.1, 0.2, 0.3, ..."""
    return 0.1 * math.sqrt(readings * (readings + 1) / 12)


def exact_deviation(values: list[float]) -> float:
    """With as many digits as numpy has."""
    return float(np.std(np.array(values, dtype=np.longdouble), ddof=1))
