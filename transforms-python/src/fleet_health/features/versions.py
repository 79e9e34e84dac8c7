"""From clean readings to versions of windows, and from versions to the newest one of each window."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from fleet_health.contracts.clean import CLOCK_DRIFT
from fleet_health.contracts.conform import conform
from fleet_health.contracts.features import features_schema
from fleet_health.features.lateness import MICROS_PER_MINUTE, NEVER, Due
from fleet_health.features.readings import clustered, ordered, packed, received_micros, whole_spans
from fleet_health.features.runs import Landing
from fleet_health.features.windows import due_versions
from fleet_health.profiles.model import Profile

KEY = ("device_id", "window_start", "window_duration_minutes")
_MICROS_PER_DAY = 1440 * MICROS_PER_MINUTE


def summarised(clean: DataFrame, profile: Profile) -> DataFrame:
    """The clean readings that windows are made of: all, or all whose time is their own."""
    if profile.exclude_clock_drift is None or not profile.exclude_clock_drift.value:
        return clean
    return clean.where(~F.array_contains("quality_flags", CLOCK_DRIFT))


def all_versions(clean: DataFrame, profile: Profile, dues: Sequence[Due]) -> DataFrame:
    """Every version of every window: what any sequence of :func:`new_versions` adds up to.

    Args:
        clean: ``clean_sensor_readings``.
        profile: windows, lateness and features.
        dues: from :func:`~fleet_health.features.lateness.due`, with nothing before.

    Returns:
        ``feature_versions``: key, features in the profile's order (see :mod:`fleet_health.features.kernel` for nulls)
        and ``computed_at``. A window without readings has no row.
    """
    return _computed(packed(summarised(clean, profile), profile, F.lit(True)), profile, dues)


def new_versions(
    previous: DataFrame, added: DataFrame, profile: Profile, dues: Sequence[Due], landing: Landing
) -> DataFrame:
    """The versions that came into being since the last run, or that a reading which landed late belongs to.

    Reads no more of ``previous`` than the days (or times) in which such windows lie.

    Args:
        previous: ``clean_sensor_readings`` as the last run saw it.
        added: what landed since.
        profile: windows, lateness and features.
        dues: what is due.
        landing: what was measured about ``added``.
    """
    before, now = summarised(previous, profile), summarised(added, profile)
    near = _within_days(before, _days(dues, landing)).where(_any(_near(due, landing) for due in dues))
    rows = near.withColumn("_landed", F.lit(False)).unionByName(
        now.withColumn("_landed", F.lit(True)), allowMissingColumns=True
    )
    micros, received = F.unix_micros("timestamp_utc"), received_micros()
    wanted = [micros.between(first, last) for first, last in map(_due_range, dues) if last >= first]
    rewritten = [due for due in dues if _may_be_rewritten(due, landing)]
    if rewritten:
        late = {
            _touched(due): F.when(_late(due, micros, received), due.length.start_column(micros)) for due in rewritten
        }
        found = rows.select("device_id", *(start.alias(name) for name, start in late.items()))
        found = found.where(_any(F.col(name).isNotNull() for name in late))
        touched = found.groupBy("device_id").agg(*(F.collect_set(name).alias(name) for name in late))
        rows = rows.join(F.broadcast(touched), "device_id", "left")
        wanted += [
            F.coalesce(F.array_contains(_touched(due), due.length.start_column(micros)), F.lit(False))
            for due in rewritten
        ]
    return _computed(packed(rows.where(_any(wanted)), profile, F.col("_landed")), profile, dues)


def newest_versions(versions: DataFrame, profile: Profile) -> DataFrame:
    """``device_features``: of each window the version with the greatest ``computed_at``.

    A reading that landed after its version was written gives the version a second time, with one reading more; of
    two with one ``computed_at`` the one with more readings counts. An as-of read filters ``computed_at`` before.
    """
    order = Window.partitionBy(*KEY).orderBy(F.desc("computed_at"), F.desc("reading_count"))
    newest = versions.withColumn("_rank", F.row_number().over(order)).where("_rank = 1")
    return conform(newest, features_schema(profile))


def _computed(rows: DataFrame, profile: Profile, dues: Sequence[Due]) -> DataFrame:
    span = math.lcm(*profile.windows_minutes) * MICROS_PER_MINUTE

    def summarise(batches: Iterable[Any]) -> Iterator[Any]:
        for table in whole_spans(batches, span):
            yield from due_versions(ordered(table, profile), dues, profile)

    return clustered(rows).mapInArrow(summarise, features_schema(profile))


def _touched(due: Due) -> str:
    return f"_touched_{due.length.minutes}"


def _late(due: Due, micros: Column, received: Column) -> Column:
    """Whether a reading gives a new version to a window that was written before."""
    version = due.length.version_column(micros, received)
    written = (due.length.first_column(micros) <= F.lit(due.before)) & (version <= F.lit(due.boundary))
    return written & (F.col("_landed") | (version > F.lit(due.before)))


def _due_range(due: Due) -> tuple[int, int]:
    """First and last time of a reading whose window is first written now; the last is before the first if none is."""
    first = NEVER if due.everything else due.before - due.length.close
    return first, due.boundary - due.length.close - 1


def _may_be_rewritten(due: Due, landing: Landing) -> bool:
    return not due.everything and (landing.landed_late[due.length.minutes] or (due.advanced and due.length.horizon > 0))


def _late_range(due: Due) -> tuple[int, int]:
    """First and last time of a reading of windows whose horizon was still open at the boundary before."""
    length = due.length
    return due.before - length.close - length.horizon - length.micros, due.before - length.close - 1


def _near(due: Due, landing: Landing) -> Column:
    """Whether a reading may lie in a window that has a version due."""
    time, conditions = F.col("timestamp_utc"), []
    if due.advanced:
        conditions.append(_between(time, _due_range(due)))
        if due.length.horizon > 0 and not due.everything:
            conditions.append(_between(time, _late_range(due)))
    if landing.landed_late[due.length.minutes]:
        first, last = min(landing.late_days), max(landing.late_days)
        day, length = _MICROS_PER_DAY, due.length.micros
        conditions.append(_between(time, (first * day - length, (last + 1) * day + length)))
    return _any(conditions)


def _between(time: Column, limits: tuple[int, int]) -> Column:
    """On the timestamp itself, so that Parquet can skip row groups."""
    first, last = limits
    upper = time <= F.timestamp_micros(F.lit(last))
    return upper if first == NEVER else (time >= F.timestamp_micros(F.lit(first))) & upper


def _days(dues: Sequence[Due], landing: Landing) -> list[tuple[int, int]] | None:
    """Ranges of UTC days (numbers since 1970) that hold every reading of a window with a version due; None: all."""
    ranges: list[tuple[int, int]] = []
    for due in dues:
        if due.everything:
            return None
        if due.advanced:
            first, last = _due_range(due)
            if due.length.horizon > 0:
                first = _late_range(due)[0]
            ranges.append((first // _MICROS_PER_DAY, last // _MICROS_PER_DAY))
        if landing.landed_late[due.length.minutes]:
            reach = -(-due.length.micros // _MICROS_PER_DAY)
            # a window reaches into a neighbouring day only where its length does not divide the day
            reach = 0 if _MICROS_PER_DAY % due.length.micros == 0 else reach
            ranges += [(day - reach, day + reach) for day in landing.late_days]
    return sorted(set(ranges))


def _within_days(clean: DataFrame, ranges: list[tuple[int, int]] | None) -> DataFrame:
    """Only the files of those days, where the dataset is kept by day."""
    if ranges is None or "date" not in clean.columns:
        return clean
    day = F.col("date").cast("date")
    return clean.where(_any(day.between(_date(first), _date(last)) for first, last in ranges))


def _date(day: int) -> Column:
    return F.date_add(F.lit("1970-01-01").cast("date"), day)


def _any(conditions: Iterable[Column]) -> Column:
    return functools.reduce(operator.or_, conditions, F.lit(False))
