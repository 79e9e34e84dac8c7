"""Which days are compared at each window length, and the windows of these and of as many before them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pyspark.sql import Column, DataFrame, Row, Window
from pyspark.sql import functions as F

from fleet_health.monitoring.comparison import DAY, NOISE, Period
from fleet_health.monitoring.distances import psi_noise
from fleet_health.monitoring.lengths import LENGTH

LONGEST_DAYS = 7
"""A fleet too small for a day is compared by as many days as give it enough rows, up to these."""
EARLIER = "_earlier"
"""Column: 1 in the period before, 0 in the period itself."""


def periods_of(windows: DataFrame, trained: Mapping[int, int]) -> dict[int, Period]:
    """One day, or as many as a small fleet needs for a verdict, by window length.

    A window of a day is one row per device, so that its fleet is small sooner, and its newest end is another one.

    Args:
        windows: ``window_end`` and the length; a length without any has no period.
        trained: rows behind the reference of each length; a length without a reference gets a day.
    """
    end = F.unix_timestamp("window_end")
    hours = windows.groupBy(LENGTH, F.floor((end - 1) / 3600).alias("hour")).agg(
        F.count(F.lit(1)).alias("n"), F.max(end).alias("until")
    )
    place = F.row_number().over(Window.partitionBy(LENGTH).orderBy(F.desc("hour")))
    # per length a row per hour of a week and a day
    newest = hours.withColumn("place", place).where(F.col("place") <= 24 * (LONGEST_DAYS + 1)).collect()
    by_length: dict[int, list[Row]] = {}
    for row in newest:
        by_length.setdefault(row[LENGTH], []).append(row)
    return {minutes: _period(hours, trained.get(minutes, 0)) for minutes, hours in by_length.items()}


def _period(hours: Sequence[Row], trained: int) -> Period:
    until = max(int(row["until"]) for row in hours)
    for days in range(1, LONGEST_DAYS + 1):
        rows = sum(row["n"] for row in hours if row["hour"] * 3600 >= until - days * DAY)
        if psi_noise(rows, trained) <= NOISE:
            return Period(until, days)
    return Period(until, 1)


def both_periods(windows: DataFrame, periods: Mapping[int, Period]) -> DataFrame:
    """The windows of the period of their length and of the one before, with :data:`EARLIER`."""
    ended = F.unix_timestamp("window_end")
    first = _by_length({minutes: period.start - period.days * DAY for minutes, period in periods.items()})
    start = _by_length({minutes: period.start for minutes, period in periods.items()})
    until = _by_length({minutes: period.until for minutes, period in periods.items()})
    own = windows.where(F.col(LENGTH).isin(*periods) & (ended > first) & (ended <= until))
    return own.withColumn(EARLIER, (ended <= start).cast("int"))


def _by_length(values: Mapping[int, int]) -> Column:
    return F.coalesce(*(F.when(F.col(LENGTH) == minutes, F.lit(value)) for minutes, value in values.items()))
