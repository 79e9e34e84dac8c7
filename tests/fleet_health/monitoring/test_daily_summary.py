"""What a day of windows and files was like, each rule at its limit and one step before it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pandas as pd
from pyspark.sql import SparkSession

from fleet_health.monitoring import quality
from fleet_health.monitoring.quality import STUCK_READINGS, STUCK_WINDOWS
from fleet_health.profiles.loader import shipped_profile

_SHIPPED = shipped_profile("refrigeration")
STDS = [feature for feature in _SHIPPED.features if feature.aggregation == "std"][:2]
PROFILE = _SHIPPED.model_copy(update={"features": tuple(STDS)})
LENGTH = min(PROFILE.windows_minutes)
START = datetime(2026, 1, 5)  # noqa: DTZ001 - naive, as Spark takes it in a session of UTC
DAY = int((START - datetime(1970, 1, 1)).total_seconds())  # noqa: DTZ001


def _windows(device: str, deviations: list[float], readings: int = STUCK_READINGS, late: int = 0) -> list[Any]:
    length, close = timedelta(minutes=LENGTH), timedelta(minutes=PROFILE.lateness_of(LENGTH).close_after.minutes)
    rows = []
    for n, deviation in enumerate(deviations):
        end = START + length * (n + 1)
        computed = end + close + timedelta(seconds=n < late)
        rows.append((device, LENGTH, end - length, end, computed, readings, deviation, 1.0))
    return rows


def test_a_sensor_stands_still_for_four_windows_and_a_set_point_does_not(spark: SparkSession) -> None:
    still = [0.0] * STUCK_WINDOWS
    rows = [
        *_windows("stuck", [1.0, *still]),
        *_windows("stuck later on", [*still, 1.0]),
        *_windows("one window less", [1.0, *still[1:], 1.0]),
        *_windows("a set point", [0.0, *still]),
        *_windows("too few readings", [1.0, *still], STUCK_READINGS - 1),
        *_windows("two corrected", [1.0, 1.0, 1.0], late=2),
    ]
    columns = ["device_id", "window_duration_minutes", "window_start", "window_end", "computed_at", "reading_count"]
    frame = spark.createDataFrame(pd.DataFrame(rows, columns=[*columns, *(feature.name for feature in STDS)]))
    found = {(day, name): value for day, name, *_, value, _ in quality.of_windows(frame, PROFILE)}
    assert found == {(DAY, "stuck_sensor_devices"): 2, (DAY, "late_reading_count"): 2}


def test_what_became_of_a_files_lines_counts_on_the_day_of_its_newest_reading(spark: SparkSession) -> None:
    days = [START, START + timedelta(days=1)]
    raw = spark.createDataFrame(
        pd.DataFrame([("a", days[0]), ("a", days[1]), ("b", days[0]), ("uncounted", days[0])]),
        "source_file string, timestamp_ingested timestamp",
    )
    fates = [("a", "CLEAN", "NONE", 1), ("a", "RELEASED", "NONE", 1), ("a", "DEAD_LETTER", "ALL_SENSORS_NULL", 2)]
    fates += [("b", "DUPLICATE", "DUPLICATE_EVENT_ID", 1), ("nothing left", "DEAD_LETTER", "SCHEMA_MISMATCH", 9)]
    counted = spark.createDataFrame(pd.DataFrame(fates), "source_file string, outcome string, reason string, rows long")
    cells = quality._of_files(raw, counted)
    found = {(day, name): value for day, name, dimension, *_, value, _ in cells if dimension in ("ALL", "source")}
    first, second = DAY, DAY + 86_400
    assert {key: value for key, value in found.items() if key[0] == second} == {
        (second, "readings_total"): 2,
        (second, "readings_clean"): 2,
        (second, "readings_quarantined"): 0,
        (second, "readings_dead_letter"): 2,
        (second, "duplicates_removed"): 0,
        (second, "quarantine_rate"): 0.0,
        (second, "dead_letter_rate"): 0.5,
    }
    assert (found[first, "readings_total"], found[first, "duplicates_removed"]) == (1, 1)
