"""Without an exchange: a worker reads its files one after the other and finishes what no later one can add to.

Files of a dataset that is appended to follow one another in time, so most windows lie in one or two of them. Where they
do, a task is a span of time and every file that may reach into it, and readings never leave the worker that read them.
Where they do not (a window of a day, and many files that all hold some of it), readings meet by
:mod:`~fleet_health.features.exchange`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from fleet_health.features.exchange import TASK_BYTES
from fleet_health.features.files import CleanFile, instants_of, read_readings
from fleet_health.features.kernel import Flags
from fleet_health.features.lateness import Due
from fleet_health.features.readings import Readings
from fleet_health.features.wanted import Wanted
from fleet_health.profiles.model import Profile

_ALWAYS = (-(1 << 62), 1 << 62)
_MOST_FILES = 500
"""Of so many the planner reads the last bytes; more would keep the others waiting."""
_READ_TWICE = 1.25
_WAITING_BYTES = 3 * TASK_BYTES
"""Of Parquet, that a task may hold at a time: a file, and what earlier ones left unfinished."""


@dataclass(frozen=True)
class Reach:
    """A file, and the first and last time of those of its readings that belong to any version; microseconds."""

    file: CleanFile
    first: int
    last: int


@dataclass(frozen=True)
class Sweep:
    """What one task reads.

    Attributes:
        files: in the order of reading.
        finished: after each of them, the instant before which no later file has a reading.
        first, last: its own readings, ``last`` not included.
    """

    files: tuple[CleanFile, ...]
    finished: tuple[int, ...]
    first: int
    last: int


def sweeps(
    filesystems: dict[bool, Any], files: Sequence[CleanFile], dues: Sequence[Due], span: int, tasks: int
) -> list[Sweep] | None:
    """Tasks that need no exchange; ``None`` where they would read too much twice, or hold too much at a time.

    Args:
        filesystems: of ``clean_sensor_readings``; what landed is read from that of ``True``.
        files: what is read; not empty.
        dues: every length, with what is due.
        span: microseconds; no window crosses from one to the next.
        tasks: how many may run side by side.
    """
    if sum(file.size for file in files) <= TASK_BYTES:
        return [Sweep(tuple(files), (_ALWAYS[0],) * (len(files) - 1) + (_ALWAYS[1],), *_ALWAYS)]
    if len(files) > _MOST_FILES:
        return None
    return cut_in_time([_reach(filesystems[file.landed], file, dues) for file in files], span, tasks)


def cut_in_time(reaches: Sequence[Reach], span: int, tasks: int) -> list[Sweep] | None:
    """The sweeps of files whose reach is known, at most ``tasks`` of them; ``None`` as for :func:`sweeps`."""
    ordered = sorted(reaches, key=lambda reach: (reach.first, reach.last, reach.file.path))
    total = sum(reach.file.size for reach in ordered)
    read = 0
    cuts: list[int] = []
    for reach in ordered:
        if read >= total / tasks * (len(cuts) + 1):
            cuts.append(reach.first - reach.first % span)
        read += reach.file.size
    edges = [_ALWAYS[0], *sorted(set(cuts)), _ALWAYS[1]]
    every = [_sweep(ordered, *limits, span) for limits in itertools.pairwise(edges)]
    found = [sweep for sweep in every if sweep.files]
    twice = sum(file.size for sweep in found for file in sweep.files) > _READ_TWICE * total
    reach_of = {reach.file: reach for reach in ordered}
    if twice or any(_waiting(sweep, reach_of) > _WAITING_BYTES for sweep in found):
        return None
    return found


def swept(
    sweep: Sweep, filesystems: dict[bool, Any], wanted: Wanted, profile: Profile
) -> Iterator[tuple[Readings, Flags]]:
    """Readings, and which of them belong to spans of which all were read; the others come again.

    Raises:
        NotANumberInCleanError: a sensor holds NaN.
    """
    waiting: list[Readings] = []
    first = sweep.first
    for file, finished in zip(sweep.files, sweep.finished, strict=True):
        with filesystems[file.landed].open(file.path, "rb") as stream:
            for readings in read_readings(stream, profile, wanted, landed=file.landed):
                # what comes for a span that was finished belongs to no version of its windows
                own = (readings.micros >= first) & (readings.micros < sweep.last)
                waiting.append(readings if own.all() else readings.take(own))
        if finished <= first or not waiting:
            continue
        first = finished
        together = Readings.joined(waiting)
        done = together.micros < first
        if done.any():
            yield together, done
        waiting = [together.take(~done)]


def _sweep(ordered: Sequence[Reach], first: int, last: int, span: int) -> Sweep:
    mine = [reach for reach in ordered if reach.first < last and reach.last >= first]
    finished = [min(last, reach.first - reach.first % span) for reach in mine[1:]] + [last] * bool(mine)
    return Sweep(tuple(reach.file for reach in mine), tuple(finished), first, last)


def _waiting(sweep: Sweep, reach_of: dict[CleanFile, Reach]) -> float:
    """The most bytes that the sweep holds at a time, if the readings of a file lie evenly in its reach."""
    most, finished = 0.0, sweep.first
    for number, (file, until) in enumerate(zip(sweep.files, sweep.finished, strict=True)):
        left = sum(_left(reach_of[earlier], finished) for earlier in sweep.files[:number])
        most = max(most, file.size + left)
        finished = max(finished, until)
    return most


def _left(reach: Reach, finished: int) -> float:
    """Bytes of a file's readings that are not finished yet."""
    share = (reach.last - finished) / max(1, reach.last - reach.first)
    return reach.file.size * min(1.0, max(0.0, share))


def _reach(filesystem: Any, file: CleanFile, dues: Sequence[Due]) -> Reach:
    with filesystem.open(file.path, "rb") as stream:
        parquet = pq.ParquetFile(stream)
        measured = instants_of(parquet, "timestamp_utc")
        received = instants_of(parquet, "timestamp_ingested")
    if measured is None:
        return Reach(file, *_ALWAYS)
    first, last = measured
    if received is not None:
        # a reading that is received later after the end of its window belongs to no version of it
        longest = max(due.length.micros + due.length.close + due.length.horizon for due in dues)
        first = max(first, received[0] - longest)
    return Reach(file, first, max(first, last))
