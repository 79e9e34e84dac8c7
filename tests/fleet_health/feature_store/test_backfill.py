"""Backfills: every day once, every chunk with the same formulas, and the rows of one full computation."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.feature_store.backfill import Chunk, check_days, missing_days, plan_backfill
from fleet_health.feature_store.errors import BackfillDaysError, BackfillWindowError, MixedFormulasError
from fleet_health.features.wanted import Wanted
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
    micros = (edges - pd.Timestamp(0)) // pd.Timedelta(microseconds=1)
    wanted = [Wanted((chunk.reach,)) for chunk in chunks]
    assert [[one.may_lie_in(at, at) for one in wanted].count(True) for at in micros] == [0, 1, 1, 1, 0]
    rows = spark.createDataFrame(pd.DataFrame({"window_start": edges}), "window_start timestamp")
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
