"""Which scores can be of the windows at hand: those of windows that end on the same days, whatever lies before."""

from __future__ import annotations

import functools
import operator
from datetime import date, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.ingestion.cleansing import utc_day, utc_midnight

_DAY = timedelta(days=1)


def of_the_same_days(before: DataFrame, windows: DataFrame) -> DataFrame:
    """The rows of ``before`` whose ``window_end`` lies on a UTC day on which a window ends.

    An old day that was filled later is a day like any other: what bounds the look is when windows ended, not when
    they came. The condition is one range per stretch of days on the column itself, so that files and row groups of
    other days are not read; scores are appended run by run, so most files hold a few hours.

    Args:
        before: rows with ``window_end``.
        windows: the windows at hand; one pass over their ``window_end``.
    """
    days = windows.select(utc_day(F.col("window_end")).alias("day")).distinct()
    spans: list[tuple[date, date]] = []
    # one row per day
    for day in sorted(row["day"] for row in days.collect()):
        if spans and day == spans[-1][1]:
            spans[-1] = (spans[-1][0], day + _DAY)
        else:
            spans.append((day, day + _DAY))
    end = F.col("window_end")
    held = ((end >= utc_midnight(first)) & (end < utc_midnight(last)) for first, last in spans)
    return before.where(functools.reduce(operator.or_, held, F.lit(False)))
