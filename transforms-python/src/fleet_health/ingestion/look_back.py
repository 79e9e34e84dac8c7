"""Messages that were sent again: which ids of the added rows earlier builds have written already.

Earlier output is read by its ``date`` partitions and in its ``event_id`` column only, so a build costs what it adds and
what a week holds, never the history.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

LOOK_BACK_DAYS = 7
"""What a message hub keeps and so can send again."""

FEW_ROWS = 1_000_000
"""Ids of so many rows travel to where the earlier output lies; otherwise both sides are shuffled."""


@dataclass(frozen=True)
class Added:
    """How many rows a build adds, on which UTC days (of measuring, or of receipt), and the newest receipt.

    ``newest`` is in microseconds since the epoch; ``None`` without rows.
    """

    rows: int
    days: tuple[date, ...]
    newest: int | None

    @property
    def few(self) -> bool:
        """Whether a set of their ids is small enough to be sent to every worker."""
        return self.rows <= FEW_ROWS


def measure(raw: DataFrame, day: Column) -> Added:
    """Counts rows of ``raw_sensor_readings`` per ``day``: one job over two columns."""
    newest = F.max(F.unix_micros("timestamp_ingested")).alias("newest")
    counted = F.count(F.lit(1)).alias("rows")
    # one row per day
    per_day = raw.groupBy(day.alias("date")).agg(counted, newest).collect()
    return Added(
        rows=sum(row["rows"] for row in per_day),
        days=tuple(sorted(row["date"] for row in per_day)),
        newest=max((row["newest"] for row in per_day), default=None),
    )


def seen_before(raw: DataFrame, earlier: Sequence[DataFrame], added: Added) -> DataFrame:
    """The ids among the added rows that a build before this one has written.

    The days after are read as well: when an older file comes late, the copy that came first may lie there, and for live
    data those days do not exist yet.

    Args:
        raw: the added rows.
        earlier: outputs as they were before this build, each with ``event_id`` and ``date``.
        added: days of the added rows.

    Returns:
        ``event_id``, distinct.
    """
    near = within(added.days, LOOK_BACK_DAYS)
    written = functools.reduce(DataFrame.unionByName, (frame.where(near).select("event_id") for frame in earlier))
    ids = raw.select("event_id")
    found = written.join(F.broadcast(ids) if added.few else ids, "event_id", "left_semi").distinct()
    return F.broadcast(found) if added.few else found


def within(days: Iterable[date], around: int) -> Column:
    """Whether ``date`` is at most ``around`` days away from one of ``days``; as few ranges as there are gaps."""
    reach = timedelta(days=around)
    spans: list[tuple[date, date]] = []
    for day in sorted(days):
        if spans and day - reach <= spans[-1][1] + timedelta(days=1):
            spans[-1] = (spans[-1][0], day + reach)
        else:
            spans.append((day - reach, day + reach))
    held = (F.col("date").between(F.lit(first), F.lit(last)) for first, last in spans)
    return functools.reduce(operator.or_, held, F.lit(False))
