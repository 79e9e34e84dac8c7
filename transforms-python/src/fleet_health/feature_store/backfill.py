"""Planning a backfill: chunks of whole UTC days, each day once, all with one formula.

Every window length that divides a day ends at midnight UTC, so the windows of a chunk need no reading from outside it,
and the chunks together hold the very rows that one full computation makes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.feature_store.errors import BackfillDaysError, BackfillWindowError, MixedFormulasError
from fleet_health.features.lateness import MICROS_PER_DAY
from fleet_health.profiles.definitions import formula_version
from fleet_health.profiles.model import Profile

WHOLE_UP_TO_DAYS = 90
"""A range that is longer is cut at the months, so that a failed chunk costs a month and not a year."""
_MINUTES_OF_DAY = 24 * 60
_DAY = timedelta(days=1)
_EPOCH = date(1970, 1, 1)


@dataclass(frozen=True)
class Chunk:
    """UTC days ``first`` to ``last``, both included."""

    first: date
    last: date

    @property
    def days(self) -> tuple[date, ...]:
        return tuple(self.first + n * _DAY for n in range((self.last - self.first).days + 1))

    @property
    def reach(self) -> tuple[int, int]:
        """First and last microsecond since the epoch; both belong to it."""
        return _day(self.first) * MICROS_PER_DAY, (_day(self.last) + 1) * MICROS_PER_DAY - 1


def _day(day: date) -> int:
    return (day - _EPOCH).days


@dataclass(frozen=True)
class Backfill:
    """What is computed, in which order, and with which formulas."""

    chunks: tuple[Chunk, ...]
    formula_version: int

    def left(self, done: Iterable[tuple[Chunk, int]]) -> tuple[Chunk, ...]:
        """The chunks that are still to do.

        Args:
            done: finished chunks with the formula version they were computed with.

        Raises:
            MixedFormulasError: one of them was computed with other formulas.
        """
        finished = list(done)
        others = tuple(sorted({version for _, version in finished if version != self.formula_version}))
        if others:
            raise MixedFormulasError(self.formula_version, others)
        ready = {chunk for chunk, _ in finished}
        return tuple(chunk for chunk in self.chunks if chunk not in ready)


def plan_backfill(first: date, last: date, profile: Profile) -> Backfill:
    """Chunks for the days ``first`` to ``last``, both included.

    Raises:
        BackfillDaysError: ``last`` lies before ``first``, so no day is covered.
        BackfillWindowError: a window length of the profile does not divide a day.
    """
    odd = next((minutes for minutes in profile.windows_minutes if _MINUTES_OF_DAY % minutes), None)
    if odd is not None:
        raise BackfillWindowError(odd)
    if last < first:
        raise BackfillDaysError((first, last), ())
    whole = (last - first).days + 1 <= WHOLE_UP_TO_DAYS
    chunks = (Chunk(first, last),) if whole else tuple(_months(first, last))
    check_days(chunks, first, last)
    return Backfill(chunks, formula_version(profile))


def _months(first: date, last: date) -> Iterable[Chunk]:
    start = first
    while start <= last:
        next_month = (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        yield Chunk(start, min(last, next_month - _DAY))
        start = next_month


def check_days(chunks: Sequence[Chunk], first: date, last: date) -> None:
    """Every day from ``first`` to ``last`` lies in exactly one chunk.

    Raises:
        BackfillDaysError: naming the missing days and those covered twice or lying outside.
    """
    covered = Counter(day for chunk in chunks for day in chunk.days)
    wanted = Chunk(first, last).days
    missing = tuple(day for day in wanted if day not in covered)
    wrong = tuple(sorted(day for day, times in covered.items() if times > 1 or not first <= day <= last))
    if missing or wrong:
        raise BackfillDaysError(missing, wrong)


def missing_days(rows: DataFrame, first: date, last: date) -> tuple[date, ...]:
    """Days of the range on which no window of ``rows`` starts: the gap check after a backfill."""
    day = F.to_date("window_start")
    limits = (F.timestamp_micros(F.lit(micros)) for micros in Chunk(first, last).reach)
    inside = rows.where(F.col("window_start").between(*limits))
    # one row per day of a chunk of at most a month
    found = set(pd.to_datetime(inside.select(day.alias("day")).distinct().toPandas()["day"]).dt.date)
    return tuple(one for one in Chunk(first, last).days if one not in found)
