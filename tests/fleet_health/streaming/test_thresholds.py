"""Limits and averages of each device."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.streaming import HISTORY_SCHEMA, thresholds_schema
from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.model import Profile
from fleet_health.profiles.serving import DeviceLimits
from fleet_health.streaming.threshold_history import threshold_changes
from fleet_health.streaming.thresholds import averages_of, device_stream_thresholds, limits_of, trailing

PROFILE = shipped_profile("refrigeration")
(AVERAGE,) = averages_of(PROFILE)
HOUR = 3_600_000_000
NOON = pd.Timestamp("2026-01-15 12:00:00")


def windows(values: list[float | None], counts: list[int] | None = None, late: int = 0) -> pd.DataFrame:
    """Hourly windows; window ``n`` ends at hour ``n`` and is computed ``late`` hours after that."""
    ends = np.arange(len(values), dtype=np.int64) * HOUR
    return pd.DataFrame(
        {
            "window_start": ends - HOUR,
            "window_end": ends,
            "computed_at": ends + late * HOUR,
            "window_duration_minutes": 60,
            "reading_count": counts or [60] * len(values),
            "vibration_compressor_mean": pd.Series(values, dtype=float),
        }
    )


def known(table: pd.DataFrame) -> dict[int, float]:
    times, values = trailing(table, AVERAGE)
    return {int(time // HOUR): round(float(v), 6) for time, v in zip(times, values, strict=True) if not np.isnan(v)}


def test_the_average_waits_for_a_day_and_then_trails() -> None:
    found = known(windows([2.0] * 24 + [4.0] * 24))
    assert min(found) == 23  # 24 windows
    assert found[23] == 2.0
    assert found[24] == round((23 * 2 + 4) / 24, 6)
    assert found[47] == 4.0


def test_the_average_weighs_by_readings_and_skips_what_was_not_measured() -> None:
    table = windows([None] * 22 + [2.0, 6.0], [60] * 22 + [10, 30])
    assert known(table) == {23: 5.0}
    assert known(windows([0.0] * 30)) == {}  # a multiple of zero fires for ever
    assert known(windows([None] * 30)) == {}
    assert known(windows([])) == {}


def test_the_average_knows_only_what_was_computed_by_then() -> None:
    assert set(known(windows([2.0] * 25, late=2))) == {25, 26}
    table = windows([2.0] * 25)
    corrected = table.assign(computed_at=table["computed_at"].where(table.index != 24, 40 * HOUR))
    assert known(corrected) == {23: 2.0, 40: 2.0}
    shuffled = table.sample(frac=1, random_state=3)
    assert known(shuffled) == known(table)


@pytest.mark.nightly
def test_one_row_per_registered_device_with_defaults_and_its_own_limits(spark: SparkSession) -> None:
    own = DeviceLimits(device_id="big", limits={"current_limit_a": 45.0}, reason="a larger motor than the others")
    streaming = PROFILE.streaming
    assert streaming is not None
    profile = PROFILE.model_copy(update={"streaming": streaming.model_copy(update={"devices": (own,)})})
    assert limits_of("big", profile) == limits_of("new", profile) | {"current_limit_a": 45.0}
    table = windows([3.0] * 24).assign(device_id="big")
    for name in ("window_start", "window_end", "computed_at"):
        table[name] = NOON + pd.to_timedelta(table[name] - 23 * HOUR, unit="us")
    registry = spark.createDataFrame(pd.DataFrame({"device_id": ["big", "new"]}))
    made = device_stream_thresholds(spark.createDataFrame(table), registry, profile)
    assert made.schema.simpleString() == thresholds_schema(profile).simpleString()
    rows: dict[str, Any] = {row["device_id"]: tuple(row)[1:] for row in made.collect()}
    now = NOON.to_pydatetime()
    assert rows == {
        "big": (45.0, 3.0, 3.0, 0.3, 2.0, None, now),
        "new": (40.0, None, 3.0, 0.3, 2.0, None, now),
    }
    said = {check.name[:6]: check.name for check in checks_of("device_stream_thresholds", profile)}
    assert said["STH-02"].count("never null") == 4
    assert said["STH-03"] == "STH-03 vibration_avg_24h is null or above 0"


@pytest.mark.nightly
def test_the_history_tells_each_change_once_and_in_order(spark: SparkSession) -> None:
    """A first look, one that finds nothing, an edit without new data, and its withdrawal."""
    streaming = PROFILE.streaming
    assert streaming is not None
    limits = sorted(limits_of("big", PROFILE))
    own = DeviceLimits(device_id="big", limits={"current_limit_a": 45.0}, reason="a larger motor than the others")
    edited = PROFILE.model_copy(update={"streaming": streaming.model_copy(update={"devices": (own,)})})
    told: list[Any] = []

    def look(profile: Profile, *devices: str) -> list[Any]:
        rows = [{"device_id": d, **limits_of(d, profile), "vibration_avg_24h": 3.0} for d in devices]
        table = pd.DataFrame(rows).assign(source_model_version=None, updated_at=NOON)
        thresholds = spark.createDataFrame(table[thresholds_schema(profile).fieldNames()], thresholds_schema(profile))
        changes = threshold_changes(thresholds, spark.createDataFrame(told, HISTORY_SCHEMA), profile).collect()
        told.extend(changes)
        return changes

    first = look(PROFILE, "big")
    assert sorted(row["limit_name"] for row in first) == limits  # an average is no limit
    assert {(row["old_value"], row["changed_at"]) for row in first} == {(None, NOON.to_pydatetime())}
    assert look(PROFILE, "big") == []
    (raised,) = (row for row in look(edited, "big", "new") if row["device_id"] == "big")
    assert (raised["limit_name"], raised["old_value"], raised["new_value"]) == ("current_limit_a", 40.0, 45.0)
    assert raised["reason"] == own.reason
    (back,) = look(PROFILE, "big", "new")
    assert (back["old_value"], back["new_value"]) == (45.0, 40.0)
    assert back["reason"] != own.reason
    assert NOON < raised["changed_at"] < back["changed_at"]
    assert look(PROFILE, "big", "new") == []
    assert len({row["change_id"] for row in told}) == len(told) == 2 * len(limits) + 2
