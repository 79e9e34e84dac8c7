"""How a unit reported in an hour: every kind of dropout at its limit and one step before it, in one look."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from pyspark.sql import SparkSession

from fleet_health.monitoring.dropouts import SILENT_SENSORS, dropout_flags
from fleet_health.profiles.loader import shipped_profile

_SHIPPED = shipped_profile("refrigeration")
PROFILE = _SHIPPED.model_copy(update={"sensors": _SHIPPED.sensors[:6]})
"""As many sensors as the rules need; each more is a dozen expressions for Spark to plan."""
SENSORS = list(PROFILE.sensor_names)
START = datetime(2026, 1, 5)  # noqa: DTZ001 - naive, as Spark takes it in a session of UTC
FOUR = int(SILENT_SENSORS)
EXPECTED = 12


def _readings(device: str, minutes: list[int], silent: int = 0) -> list[dict[str, Any]]:
    values = {s.name: 1.0 if s.type == "double" else True for s in PROFILE.sensors} | dict.fromkeys(SENSORS[:silent])
    moments = [START + timedelta(minutes=minute) for minute in minutes]
    return [{"device_id": device, "timestamp_utc": at, "timestamp_ingested": at, **values} for at in moments]


def test_each_kind_of_dropout_begins_where_it_says(spark: SparkSession) -> None:
    every_five = list(range(0, 60, 5))
    cases = {
        "healthy": _readings("healthy", every_five),
        "half of what is expected": _readings("half of what is expected", every_five[:6]),
        "less than half": _readings("less than half", every_five[:5]),
        "four sensors silent": _readings("four sensors silent", every_five, FOUR),
        "five sensors silent": _readings("five sensors silent", every_five, FOUR + 1),
        # silences of six minutes; five are none
        "two silences": _readings("two silences", [0, 6, 12, 17, 22, 27, 32, 37]),
        "three silences": _readings("three silences", [0, 6, 12, 18, 23, 28, 33, 38]),
        "nothing": [],
        "has no such sensors": _readings("has no such sensors", every_five, FOUR + 1),
    }
    # the next hour is not over; its one reading is what tells that the first is
    later = _readings("healthy", [61])
    columns = ["device_id", "timestamp_utc", "timestamp_ingested", *SENSORS]
    types = ", ".join(f"{s.name} {s.type}" for s in PROFILE.sensors)
    clean = spark.createDataFrame(
        pd.DataFrame([row for rows in (*cases.values(), later) for row in rows], columns=columns),
        f"device_id string, timestamp_utc timestamp, timestamp_ingested timestamp, {types}",
    )
    owned = {device: SENSORS[FOUR + 1 :] if device == "has no such sensors" else SENSORS for device in cases}
    registry = spark.createDataFrame(
        [(device, "active", EXPECTED, sensors) for device, sensors in owned.items()]
        + [("retired", "retired", EXPECTED, SENSORS)],
        "device_id string, status string, expected_readings_per_hour int, expected_sensors array<string>",
    )
    flags = dropout_flags(clean, registry, PROFILE, after=int((START - datetime(1970, 1, 1)).total_seconds()))  # noqa: DTZ001
    rows = {row["device_id"]: row for row in flags.collect()}
    assert {device: row["dropout_type"] for device, row in rows.items()} == {
        "healthy": "HEALTHY",
        "half of what is expected": "HEALTHY",
        "less than half": "FREQUENCY_DEGRADATION",
        "four sensors silent": "HEALTHY",
        "five sensors silent": "SENSOR_SUBSET_DROPOUT",
        "two silences": "HEALTHY",
        "three silences": "INTERMITTENT_DROPOUT",
        "nothing": "FULL_DROPOUT",
        "has no such sensors": "HEALTHY",
    }
    assert rows["five sensors silent"]["missing_sensors"] == SENSORS[: FOUR + 1]
    assert rows["nothing"]["missing_sensors"] == SENSORS
    assert (rows["nothing"]["reading_count"], rows["nothing"]["last_reading_at"]) == (0, None)
    assert rows["has no such sensors"]["missing_sensors"] == []
    assert rows["three silences"]["gap_count"] == 3
    assert rows["healthy"]["evaluated_hour"] == START + timedelta(hours=1)
