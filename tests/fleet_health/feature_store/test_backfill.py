"""Backfills: every day once, every chunk with the same formulas, and the rows of one full computation."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.feature_store.backfill import (
    Chunk,
    backfilled,
    check_days,
    missing_days,
    plan_backfill,
)
from fleet_health.feature_store.errors import BackfillDaysError, BackfillWindowError, MixedFormulasError
from fleet_health.features.windows import window_table
from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("refrigeration")


@pytest.mark.case("FST-EC-03")
def test_months_meet_without_a_gap_and_without_a_double_day(spark: SparkSession) -> None:
    first, last = date(2026, 1, 15), date(2026, 5, 2)
    chunks = plan_backfill(first, last, PROFILE).chunks
    assert [(str(c.first), str(c.last)) for c in chunks] == [
        ("2026-01-15", "2026-01-31"),
        ("2026-02-01", "2026-02-28"),
        ("2026-03-01", "2026-03-31"),
        ("2026-04-01", "2026-04-30"),
        ("2026-05-01", "2026-05-02"),
    ]
    days = [day for chunk in chunks for day in chunk.days]
    assert days == [first + timedelta(days=n) for n in range(108)]
    edges = pd.to_datetime(
        ["2026-01-14 23:59:59.999999", "2026-01-15", "2026-01-31 23:59:59.999999", "2026-02-01", "2026-05-03"],
        format="ISO8601",
    )
    readings = spark.createDataFrame(pd.DataFrame({"timestamp_utc": edges}), "timestamp_utc timestamp")
    found = backfilled(readings, chunks, lambda part: part).toPandas()["timestamp_utc"]
    assert sorted(found) == list(edges[1:4])
    rows = readings.withColumnRenamed("timestamp_utc", "window_start")
    assert missing_days(rows, date(2026, 1, 30), date(2026, 2, 2)) == (date(2026, 1, 30), date(2026, 2, 2))


def test_up_to_ninety_days_are_one_chunk() -> None:
    first = date(2026, 1, 15)
    assert len(plan_backfill(first, first + timedelta(days=89), PROFILE).chunks) == 1
    assert len(plan_backfill(first, first + timedelta(days=90), PROFILE).chunks) == 4


def test_gaps_and_overlaps_are_named() -> None:
    first, last = date(2026, 1, 1), date(2026, 1, 4)
    broken = (Chunk(first, date(2026, 1, 2)), Chunk(date(2026, 1, 2), date(2026, 1, 3)))
    with pytest.raises(BackfillDaysError) as caught:
        check_days(broken, first, last)
    assert "missing 2026-01-04; covered twice 2026-01-02" in str(caught.value)
    with pytest.raises(BackfillDaysError):
        plan_backfill(last, first, PROFILE)


def test_formulas_are_never_mixed() -> None:
    plan = plan_backfill(date(2026, 1, 1), date(2026, 4, 15), PROFILE)
    done = [(plan.chunks[0], plan.formula_version)]
    assert plan.left(done) == plan.chunks[1:]
    changed = PROFILE.features[0].model_copy(update={"aggregation": "max"})
    edited = PROFILE.model_copy(update={"features": (changed, *PROFILE.features[1:])})
    newer = plan_backfill(date(2026, 1, 1), date(2026, 4, 15), edited)
    with pytest.raises(MixedFormulasError, match=f"formula version {plan.formula_version}, the backfill is for"):
        newer.left(done)


def test_windows_that_cross_midnight_are_refused() -> None:
    weekly = PROFILE.model_copy(update={"windows_minutes": (15, 10_080)})
    with pytest.raises(BackfillWindowError, match="windows of 10080 minutes do not end at midnight UTC"):
        plan_backfill(date(2026, 1, 1), date(2026, 1, 2), weekly)


@pytest.mark.case("FST-HP-03")
def test_chunks_give_the_rows_of_the_full_computation() -> None:
    """Readings of three days in any order, whole and day by day: identical in every feature and length."""
    random = np.random.default_rng(3)
    sensors = sorted({f.sensor for f in PROFILE.features if f.sensor})
    count = 4000
    start = pd.Timestamp("2026-01-30").value // 1000
    frame = pd.DataFrame(random.normal(5.0, 2.0, (count, len(sensors))), columns=sensors)
    frame = frame.mask(random.random(frame.shape) < 0.1)
    frame["device_id"] = [f"d{n % 2}" for n in range(count)]
    frame["micros"] = start + random.integers(0, 3 * 86_400, count) * 1_000_000
    frame["event_id"] = [f"e{n:05d}" for n in range(count)]
    frame = frame.assign(flagged=(random.random(count) < 0.2).astype(float), sensor_null_count=1.0)

    def compute(readings: pd.DataFrame) -> pd.DataFrame:
        ordered = readings.sort_values(["device_id", "micros", "event_id"], ignore_index=True)
        return pd.concat([window_table(ordered, minutes, PROFILE) for minutes in PROFILE.windows_minutes])

    key = ["device_id", "window_duration_minutes", "window_start"]
    whole = compute(frame).sort_values(key, ignore_index=True)
    day = frame["micros"] // 86_400_000_000
    parts = [compute(part) for _, part in frame.sample(frac=1.0, random_state=1).groupby(day)]
    pd.testing.assert_frame_equal(whole, pd.concat(parts).sort_values(key, ignore_index=True), check_exact=True)
    assert whole["window_duration_minutes"].value_counts()[1440] == 6
