"""Windows and features: golden cases, edges and leakage; every case is a device of one frame, computed once."""

from __future__ import annotations

import math
import random
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.contracts.clean import clean_schema
from fleet_health.features.windows import device_features, whole_windows, window_table
from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("refrigeration")
START = pd.Timestamp("2026-01-15 10:00:00", tz="UTC")
Row = dict[str, Any]


def at(device: str, minute: float, *, start: pd.Timestamp = START, **cells: Any) -> Row:
    instant = start + pd.Timedelta(seconds=round(minute * 60, 6))
    row: Row = dict.fromkeys(PROFILE.sensor_names)
    row |= {"quality_flags": [], "sensor_null_count": 0, **cells}
    return row | {"event_id": f"{device}-{instant}-{len(cells)}-{cells}", "device_id": device, "timestamp_utc": instant}


def series(device: str, sensor: str, values: list[Any], minutes: list[float] | None = None) -> list[Row]:
    where = minutes or [float(n) for n in range(len(values))]
    return [at(device, minute, **{sensor: value}) for minute, value in zip(where, values, strict=True)]


EVAPORATOR, VIBRATION = "temperature_evaporator", "vibration_compressor"
GOLDEN: dict[str, tuple[list[Row], str, float | None]] = {
    "GC-01": (series("GC-01", EVAPORATOR, [1.0, None, 3.0, 7.0]), "temp_evaporator_slope", 1.857142857142857),
    "GC-02": (series("GC-02", EVAPORATOR, [-20.0], [4.0]), "temp_evaporator_slope", None),
    "GC-03": (series("GC-03", EVAPORATOR, [1.0, 2.0, 3.0], [5.0] * 3), "temp_evaporator_slope", None),
    "GC-04": (series("GC-04", EVAPORATOR, [-25.0]), "temp_evaporator_std", None),
    "GC-05": (series("GC-05", EVAPORATOR, [1.0, 3.0]), "temp_evaporator_std", 1.4142135623730951),
    "GC-06": (series("GC-06", EVAPORATOR, [-25.1] * 15), "temp_evaporator_std", 0.0),
    "GC-07": (series("GC-07", VIBRATION, [float(n) for n in range(1, 16)]), "vibration_compressor_p95", 14.3),
    "GC-08": ([at("GC-08", 0, pressure_high_side=1500.0, pressure_low_side=200.0)], "pressure_ratio", 7.5),
    "GC-09": ([at("GC-09", 0, pressure_high_side=500.0, pressure_low_side=800.0)], "pressure_ratio", 0.625),
    "GC-10": ([at("GC-10", 0, pressure_high_side=1500.0)], "pressure_ratio", None),
    "GC-11": (
        [at("GC-11", 0, current_compressor=12.0, temperature_condenser=40.0, temperature_evaporator=-25.0)],
        "current_per_temp_spread",
        0.18461538461538463,
    ),
    "GC-12": (
        [at("GC-12", 0, current_compressor=12.0, temperature_condenser=25.0, temperature_evaporator=25.0)],
        "current_per_temp_spread",
        None,
    ),
    "GC-13": (
        [at("GC-13", 0, current_compressor=12.0, temperature_condenser=20.0, temperature_evaporator=30.0)],
        "current_per_temp_spread",
        -1.2,
    ),
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
    "constant slope": (series("constant slope", EVAPORATOR, [-25.1] * 15), "temp_evaporator_slope", 0.0),
    "all null": (series("all null", EVAPORATOR, [None, None]), "temp_evaporator_mean", None),
    "all null counts": (series("all null counts", EVAPORATOR, [None, None]), "reading_count", 2.0),
    "one value p95": (series("one value p95", VIBRATION, [None, 4.0]), "vibration_compressor_p95", 4.0),
    "null spread": ([at("null spread", 0, current_compressor=12.0)], "current_per_temp_spread", None),
    "seconds count": (
        series("seconds count", EVAPORATOR, [0.0, 1.0], [0.0, 0.5]),
        "temp_evaporator_slope",
        2.0,
    ),
}

EDGE = [
    at("edge", 0, temperature_ambient=1.0),
    at("edge", 15 - 1e-6 / 60, temperature_ambient=3.0),
    at("edge", 15, temperature_ambient=100.0),
    at("edge", 59.99, temperature_ambient=100.0),
]
ANCIENT = [at("ancient", -1, start=pd.Timestamp("1969-12-31 23:55", tz="UTC"), temperature_ambient=5.0)]
# the newest receipt decides which windows are closed: 11:20 closes 11:15 and 11:00, not 11:30 and not 12:00
LAST = [at("last", 79, temperature_ambient=2.0), at("last", 74, temperature_ambient=2.0)]


def clean_rows(extra: list[Row] = []) -> pd.DataFrame:  # noqa: B006 - never changed
    rows = [row for case in GOLDEN.values() for row in case[0]] + EDGE + ANCIENT + LAST + extra
    random.Random(3).shuffle(rows)
    frame = pd.DataFrame(rows).reindex(columns=clean_schema(PROFILE).fieldNames())
    frame["timestamp_ingested"] = START + pd.Timedelta(minutes=80)
    for sensor in PROFILE.sensors:
        frame[sensor.name] = frame[sensor.name].astype("boolean" if sensor.type == "boolean" else "float64")
    frame["line_number"] = 0
    frame["date"] = frame["timestamp_utc"].dt.date
    frame["source_file"] = "a"
    return frame


# what a leak would look at: the future of a device, and other devices at the same time
LATER = [
    at(case, minute, temperature_evaporator=29.0, vibration_compressor=99.0) for case in GOLDEN for minute in (15, 61)
]
OTHERS = [at("other", minute, temperature_evaporator=29.0, pressure_low_side=51.0) for minute in range(60)]


@pytest.fixture(scope="module")
def features(spark: SparkSession) -> dict[str, pd.DataFrame]:
    """Plain, and with a future and other devices added; one job for both."""
    plain, more = clean_rows(), clean_rows(LATER + OTHERS)
    schema = clean_schema(PROFILE)
    frames = {"plain": plain, "more": more}
    found = {}
    for name, frame in frames.items():
        computed = device_features(spark.createDataFrame(frame, schema), PROFILE).toPandas()
        found[name] = computed.sort_values(["device_id", "window_duration_minutes", "window_start"])
    return found


def value(features: pd.DataFrame, device: str, name: str, minutes: int = 15, start: pd.Timestamp = START) -> Any:
    row = features[
        (features["device_id"] == device)
        & (features["window_duration_minutes"] == minutes)
        & (features["window_start"] == start.tz_localize(None))
    ]
    assert len(row) == 1
    return row[name].iloc[0]


@pytest.mark.parametrize("case", GOLDEN)
def test_golden(features: dict[str, pd.DataFrame], case: str) -> None:
    _, name, expected = GOLDEN[case]
    found = value(features["plain"], case, name)
    if expected is None:
        assert pd.isna(found)
    else:
        assert math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-15)


def test_start_belongs_to_a_window_and_end_to_the_next(features: dict[str, pd.DataFrame]) -> None:
    assert value(features["plain"], "edge", "temp_ambient_mean") == 2.0
    assert value(features["plain"], "edge", "reading_count") == 2
    later = START + pd.Timedelta(minutes=15)
    assert value(features["plain"], "edge", "reading_count", start=later) == 1
    assert value(features["plain"], "edge", "reading_count", minutes=60) == 4


def test_windows_before_1970_align_too(features: dict[str, pd.DataFrame]) -> None:
    found = features["plain"][features["plain"]["device_id"] == "ancient"]
    assert found.set_index("window_duration_minutes")["window_start"].map(str).to_dict() == {
        15: "1969-12-31 23:45:00",
        60: "1969-12-31 23:00:00",
        1440: "1969-12-31 00:00:00",
    }


def test_only_closed_windows_are_written(features: dict[str, pd.DataFrame]) -> None:
    plain = features["plain"]
    assert plain[plain["device_id"] == "last"]["window_end"].map(str).tolist() == ["2026-01-15 11:15:00"]
    assert (plain["window_end"] <= plain["computed_at"]).all()
    recent = plain[plain["device_id"] != "ancient"]
    assert set(recent["window_duration_minutes"]) == {15, 60}  # the day is not over


def test_neither_the_future_nor_another_device_changes_a_window(features: dict[str, pd.DataFrame]) -> None:
    keys = ["device_id", "window_start", "window_duration_minutes"]
    plain = features["plain"][features["plain"]["window_duration_minutes"] == 15].set_index(keys)
    more = features["more"].set_index(keys)
    assert len(more) > len(plain)
    golden = [key for key in plain.index if key[0] in GOLDEN]
    assert len(golden) == len(GOLDEN)
    pd.testing.assert_frame_equal(plain.loc[golden], more.loc[golden], check_exact=True)


def test_columns_are_the_contract(features: dict[str, pd.DataFrame]) -> None:
    names = list(features["plain"].columns)
    assert names[:4] == ["device_id", "window_start", "window_end", "window_duration_minutes"]
    assert tuple(names[4:-1]) == PROFILE.model_features
    assert names[-1] == "computed_at"


def test_a_device_that_sends_ten_times_as_often_weighs_on_nobody() -> None:
    """Six-second rows beside minute rows: its own count says so, every statistic is that of the same signal."""
    sensor = next(f.sensor for f in PROFILE.features if f.aggregation == "mean")
    parts = []
    for device, seconds in (("fast", 6), ("slow", 60)):
        micros = np.arange(0, 30 * 60, seconds, dtype=np.int64) * 1_000_000
        parts.append(pd.DataFrame({"device_id": device, "micros": micros, "flagged": 0.0, "sensor_null_count": 0.0}))
    rows = pd.concat(parts, ignore_index=True)
    for name in {f.sensor for f in PROFILE.features if f.sensor is not None}:
        rows[name] = 20.0 if name == sensor else np.nan
    batches = [rows.iloc[n : n + 64] for n in range(0, len(rows), 64)]  # a window is longer than a batch here
    whole = pd.concat([window_table(part, 15, PROFILE) for part in whole_windows(batches, PROFILE)])
    assert whole["device_id"].tolist() == ["fast", "fast", "slow", "slow"]
    assert whole["reading_count"].tolist() == [150, 150, 15, 15]
    mean = next(f.name for f in PROFILE.features if f.sensor == sensor and f.aggregation == "mean")
    assert whole[mean].tolist() == [20.0] * 4
