"""Which windows that were written before have a reading that gives them a new version."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.clean import CLOCK_DRIFT
from fleet_health.features.lateness import MICROS_PER_DAY, Due
from fleet_health.features.readings import received_micros
from fleet_health.features.runs import Landing
from fleet_health.features.wanted import Touched
from fleet_health.profiles.model import Profile


def touched_windows(clean: Any, profile: Profile, dues: Sequence[Due], landing: Landing) -> tuple[Touched, ...]:
    """Those that a reading belongs to which was received late, or landed late.

    Args:
        clean: the input ``clean_sensor_readings``; of what the last run saw only the days (or times) are read in which
            such readings may lie.
        profile: whether readings with a drifting clock count.
        dues: what is due; none of it for the first time.
        landing: what was measured about the new part.
    """
    rewritten = [due for due in dues if _may_be_rewritten(due, landing)]
    if not rewritten:
        return ()
    before, now = (_summarised(clean.dataframe(mode), profile) for mode in ("previous", "added"))
    near = _within_days(before, _days(rewritten, landing)).where(_any(_near(due, landing) for due in rewritten))
    micros, received = F.unix_micros("timestamp_utc"), received_micros()
    rows = near.withColumn("_landed", F.lit(False)).unionByName(
        now.withColumn("_landed", F.lit(True)), allowMissingColumns=True
    )
    starts = [
        F.when(
            _late(due, micros, received),
            F.struct(F.lit(due.length.micros).alias("length"), due.length.start_column(micros).alias("start")),
        )
        for due in rewritten
    ]
    found = rows.select("device_id", F.explode(F.array_compact(F.array(*starts))).alias("window"))
    # one row per window with a late reading: few, and every worker has to know them
    late = found.select("device_id", "window.*").distinct().toPandas()
    of_length = {due.length.micros: late[late["length"] == due.length.micros] for due in rewritten}
    return tuple(
        Touched.of(micros, part["device_id"].tolist(), part["start"].tolist())
        for micros, part in of_length.items()
        if len(part)
    )


def _summarised(clean: DataFrame, profile: Profile) -> DataFrame:
    """The clean readings that windows are made of: all, or all whose time is their own."""
    if profile.exclude_clock_drift is None or not profile.exclude_clock_drift.value:
        return clean
    return clean.where(~F.array_contains("quality_flags", CLOCK_DRIFT))


def _late(due: Due, micros: Column, received: Column) -> Column:
    """Whether a reading gives a new version to a window that was written before."""
    version = due.length.version_column(micros, received)
    written = (due.length.first_column(micros) <= F.lit(due.before)) & (version <= F.lit(due.boundary))
    return written & (F.col("_landed") | (version > F.lit(due.before)))


def _may_be_rewritten(due: Due, landing: Landing) -> bool:
    return not due.everything and (landing.landed_late[due.length.minutes] or _still_open(due))


def _still_open(due: Due) -> bool:
    """Whether what was received since the boundary before may belong to a window that was written by then."""
    return due.advanced and due.length.horizon > 0


def _late_range(due: Due) -> tuple[int, int]:
    """First and last time of a reading of windows whose horizon was still open at the boundary before."""
    length = due.length
    return due.before - length.close - length.horizon - length.micros, due.before - length.close - 1


def _near(due: Due, landing: Landing) -> Column:
    """Whether a reading may be one of those, by its time; on the timestamp itself, so that Parquet can skip groups."""
    ranges = [_late_range(due)] if _still_open(due) else []
    if landing.landed_late[due.length.minutes]:
        day, length = MICROS_PER_DAY, due.length.micros
        ranges.append((min(landing.late_days) * day - length, (max(landing.late_days) + 1) * day + length))
    first, last = (F.timestamp_micros(F.lit(limit)) for limit in (min(r[0] for r in ranges), max(r[1] for r in ranges)))
    return F.col("timestamp_utc").between(first, last)


def _days(rewritten: Sequence[Due], landing: Landing) -> list[tuple[int, int]]:
    """Ranges of UTC days (numbers since 1970) that hold every such reading."""
    ranges: list[tuple[int, int]] = []
    for due in rewritten:
        if _still_open(due):
            first, last = _late_range(due)
            ranges.append((first // MICROS_PER_DAY, last // MICROS_PER_DAY))
        if landing.landed_late[due.length.minutes]:
            reach = -(-due.length.micros // MICROS_PER_DAY)
            # a window reaches into a neighbouring day only where its length does not divide the day
            reach = 0 if MICROS_PER_DAY % due.length.micros == 0 else reach
            ranges += [(day - reach, day + reach) for day in landing.late_days]
    return sorted(set(ranges))


def _within_days(clean: DataFrame, ranges: list[tuple[int, int]]) -> DataFrame:
    """Only the files of those days, where the dataset is kept by day."""
    if "date" not in clean.columns:
        return clean
    day = F.col("date").cast("date")
    return clean.where(_any(day.between(_date(first), _date(last)) for first, last in ranges))


def _date(day: int) -> Column:
    return F.date_add(F.lit("1970-01-01").cast("date"), day)


def _any(conditions: Iterable[Column]) -> Column:
    return functools.reduce(operator.or_, conditions, F.lit(False))
