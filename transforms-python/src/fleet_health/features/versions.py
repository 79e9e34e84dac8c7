"""From clean readings to versions of windows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from fleet_health.contracts.features import features_schema
from fleet_health.features.exchange import Tasks, exchanged, unpacked
from fleet_health.features.files import CleanFile, files_of
from fleet_health.features.kernel import Flags
from fleet_health.features.late_windows import touched_windows
from fleet_health.features.lateness import MICROS_PER_MINUTE, NEVER, Due
from fleet_health.features.readings import Readings, ordered_blocks
from fleet_health.features.runs import Landing
from fleet_health.features.sweep import sweeps, swept
from fleet_health.features.wanted import Wanted
from fleet_health.features.windows import due_versions
from fleet_health.profiles.model import Profile

EVERY_READING = Wanted()


def all_versions(
    session: SparkSession, clean: Any, profile: Profile, dues: Sequence[Due], wanted: Wanted = EVERY_READING
) -> DataFrame:
    """Every version of every window: what any sequence of :func:`new_versions` adds up to.

    Args:
        session: makes the frame.
        clean: the input ``clean_sensor_readings``; its files are read.
        profile: windows, lateness and features.
        dues: from :func:`~fleet_health.features.lateness.due`, with nothing before.
        wanted: the readings that there are; it must not cut a window in two.

    Returns:
        ``feature_versions``: key, features in the profile's order (see :mod:`fleet_health.features.kernel` for nulls)
        and ``computed_at``. A window without readings has no row.
    """
    current = clean.filesystem("current")
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
    wanted = Wanted(ranges, touched_windows(clean, profile, dues, landing))
    filesystems = {landed: clean.filesystem(mode) for landed, mode in ((False, "previous"), (True, "added"))}
    files = [file for landed, place in filesystems.items() for file in files_of(place, wanted, landed=landed)]
    return _computed(session, filesystems, files, wanted, profile, dues)


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

    def summarised(readings: Readings, among: Flags | None = None) -> Iterator[pa.RecordBatch]:
        for rows in ordered_blocks(readings, span, among=among):
            yield from due_versions(readings, rows, dues, profile)

    found = sweeps(filesystems, files, dues, span, session.sparkContext.defaultParallelism)
    if found is not None:

        def sweep(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
            for batch in batches:
                for number in batch.column(0).to_pylist():
                    for readings, whole in swept(found[number], filesystems, wanted, profile):
                        yield from summarised(readings, whole)

        return session.range(0, len(found), 1, len(found)).mapInArrow(sweep, features_schema(profile))

    def summarise(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        readings = unpacked(batches, profile)
        if readings is not None:
            yield from summarised(readings)

    parcels = exchanged(session, filesystems, files, wanted, profile, Tasks.for_files(files, span))
    return parcels.mapInArrow(summarise, features_schema(profile))


def _due_range(due: Due) -> tuple[int, int]:
    """First and last time of a reading whose window is first written now; the last is before the first if none is."""
    first = NEVER if due.everything else due.before - due.length.close
    return first, due.boundary - due.length.close - 1
