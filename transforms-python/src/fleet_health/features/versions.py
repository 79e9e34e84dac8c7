"""From clean readings to versions of windows, and from versions to the newest one of each window."""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession, Window
from pyspark.sql import functions as F

from fleet_health.contracts.clean import CLOCK_DRIFT
from fleet_health.contracts.conform import conform
from fleet_health.contracts.features import features_schema
from fleet_health.features.exchange import Tasks, exchanged, unpacked
from fleet_health.features.files import CleanFile, files_of
from fleet_health.features.lateness import MICROS_PER_DAY, MICROS_PER_MINUTE, NEVER, Due
from fleet_health.features.readings import ordered_blocks, received_micros
from fleet_health.features.runs import Landing
from fleet_health.features.wanted import Touched, Wanted
from fleet_health.features.windows import due_versions
from fleet_health.profiles.model import Profile

KEY = ("device_id", "window_start", "window_duration_minutes")


def summarised(clean: DataFrame, profile: Profile) -> DataFrame:
    """The clean readings that windows are made of: all, or all whose time is their own."""
    if profile.exclude_clock_drift is None or not profile.exclude_clock_drift.value:
        return clean
    return clean.where(~F.array_contains("quality_flags", CLOCK_DRIFT))


def all_versions(session: SparkSession, clean: Any, profile: Profile, dues: Sequence[Due]) -> DataFrame:
    """Every version of every window: what any sequence of :func:`new_versions` adds up to.

    Args:
        session: makes the frame.
        clean: the input ``clean_sensor_readings``; its files are read.
        profile: windows, lateness and features.
        dues: from :func:`~fleet_health.features.lateness.due`, with nothing before.

    Returns:
        ``feature_versions``: key, features in the profile's order (see :mod:`fleet_health.features.kernel` for nulls)
        and ``computed_at``. A window without readings has no row.
    """
    wanted, current = Wanted(), clean.filesystem("current")
    return _computed(session, {True: current}, files_of(current, wanted, landed=True), wanted, profile, dues)


def new_versions(
    session: SparkSession, clean: Any, profile: Profile, dues: Sequence[Due], landing: Landing
) -> DataFrame:
    """The versions that came into being since the last run, or that a reading which landed late belongs to.

    Reads no more of what the last run saw than the days (or times) in which such windows lie.

    Args:
        session: makes the frame.
        clean: the input ``clean_sensor_readings``, of which some part is new.
        profile: windows, lateness and features.
        dues: what is due.
        landing: what was measured about the new part.
    """
    ranges = tuple(limits for due in dues if (limits := _due_range(due))[1] >= limits[0])
    rewritten = [due for due in dues if _may_be_rewritten(due, landing)]
    touched = _touched(clean, profile, rewritten, dues, landing) if rewritten else ()
    wanted = Wanted(ranges, touched)
    filesystems = {landed: clean.filesystem(mode) for landed, mode in ((False, "previous"), (True, "added"))}
    files = [file for landed, place in filesystems.items() for file in files_of(place, wanted, landed=landed)]
    return _computed(session, filesystems, files, wanted, profile, dues)


def newest_versions(versions: DataFrame, profile: Profile) -> DataFrame:
    """``device_features``: of each window the version with the greatest ``computed_at``.

    A reading that landed after its version was written gives the version a second time, with one reading more; of
    two with one ``computed_at`` the one with more readings counts. An as-of read filters ``computed_at`` before.
    """
    order = Window.partitionBy(*KEY).orderBy(F.desc("computed_at"), F.desc("reading_count"))
    newest = versions.withColumn("_rank", F.row_number().over(order)).where("_rank = 1")
    return conform(newest, features_schema(profile))


def _computed(
    session: SparkSession,
    filesystems: dict[bool, Any],
    files: Sequence[CleanFile],
    wanted: Wanted,
    profile: Profile,
    dues: Sequence[Due],
) -> DataFrame:
    if not files:
        return session.createDataFrame([], features_schema(profile))
    span = math.lcm(*profile.windows_minutes) * MICROS_PER_MINUTE

    def summarise(batches: Iterable[Any]) -> Iterator[Any]:
        readings = unpacked(batches, profile)
        for block in ordered_blocks(readings, span) if readings is not None else ():
            yield from due_versions(block, dues, profile)

    parcels = exchanged(session, filesystems, files, wanted, profile, Tasks.for_files(files, span))
    return parcels.mapInArrow(summarise, features_schema(profile))


def _touched(
    clean: Any, profile: Profile, rewritten: Sequence[Due], dues: Sequence[Due], landing: Landing
) -> tuple[Touched, ...]:
    """The windows that were written before and have a reading that gives them a new version."""
    before, now = (summarised(clean.dataframe(mode), profile) for mode in ("previous", "added"))
    near = _within_days(before, _days(dues, landing)).where(_any(_near(due, landing) for due in dues))
    micros, received = F.unix_micros("timestamp_utc"), received_micros()
    rows = near.withColumn("_landed", F.lit(False)).unionByName(
        now.withColumn("_landed", F.lit(True)), allowMissingColumns=True
    )
    windows = F.array_compact(
        F.array(
            *(
                F.when(
                    _late(due, micros, received),
                    F.struct(F.lit(due.length.micros).alias("length"), due.length.start_column(micros).alias("start")),
                )
                for due in rewritten
            )
        )
    )
    found = rows.select("device_id", F.explode(windows).alias("window")).select("device_id", "window.*").distinct()
    # one row per window with a late reading: few, and every worker has to know them
    late = found.toPandas()
    return tuple(
        Touched.of(length, part["device_id"].tolist(), part["start"].tolist()) for length, part in late.groupby("length")
    )


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
        day, length = MICROS_PER_DAY, due.length.micros
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
            ranges.append((first // MICROS_PER_DAY, last // MICROS_PER_DAY))
        if landing.landed_late[due.length.minutes]:
            reach = -(-due.length.micros // MICROS_PER_DAY)
            # a window reaches into a neighbouring day only where its length does not divide the day
            reach = 0 if MICROS_PER_DAY % due.length.micros == 0 else reach
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
