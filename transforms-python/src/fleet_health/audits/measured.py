"""What a measure is: one row per group of measures, each a number and how much was looked at."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.data_time import with_data_time
from fleet_health.profiles.model import Profile

DAYS = 8
"""Cleansing looks back seven days for repeats; the day on which it looks makes eight."""


@dataclass(frozen=True)
class Audited:
    """What there is to look at.

    Attributes:
        frames: datasets by contract name.
        statistics: ``training_statistics``, one row per feature, so it is held in memory; empty where there is none.
        profile: the fleet.
    """

    frames: Mapping[str, DataFrame]
    statistics: pd.DataFrame
    profile: Profile

    def __getitem__(self, dataset: str) -> DataFrame:
        return self.frames[dataset]


@dataclass(frozen=True)
class Group:
    """Measures that share a pass.

    ``compute`` gives one row with one :func:`result` per name of ``measures``; ``needs`` are the datasets it reads.
    """

    measures: tuple[str, ...]
    needs: tuple[str, ...]
    compute: Callable[[Audited], DataFrame]


def result(measured: Column, rows: Column, name: str) -> Column:
    """``measured`` (null: there was nothing to measure) and the number of ``rows``, groups or features behind it."""
    told = (measured.cast("double").alias("measured"), F.coalesce(rows.cast("long"), F.lit(0)).alias("rows"))
    return F.struct(*told).alias(name)


def share(part: Column, whole: Column) -> Column:
    """``part / whole``; null when there is nothing to divide by."""
    return F.when(whole > 0, part / whole)


def counted(condition: Column) -> Column:
    """How often ``condition`` holds; never null."""
    return F.coalesce(F.sum(F.coalesce(condition, F.lit(False)).cast("long")), F.lit(0))


def lasting(rows: DataFrame, time: str, hours: int) -> DataFrame:
    """The rows of the last ``hours`` before the newest ``time`` of ``rows``, the oldest instant left out."""
    timed = with_data_time(rows, rows, "_newest", F.col(time))
    return timed.where(F.unix_micros(time) > F.unix_micros("_newest") - F.lit(hours * 3_600_000_000)).drop("_newest")


def last_days(rows: DataFrame, time: str) -> DataFrame:
    """The rows of the last :data:`DAYS` days of ``time``.

    Where ``date`` partitions the dataset by the day of ``time``, older partitions are not read: the newest day is asked
    for beforehand, because Spark leaves files out only for values that it knows when it plans.
    """
    if "date" in rows.columns:
        # one row: the newest day
        newest = rows.agg(F.max("date").alias("newest")).collect()[0]["newest"]
        if newest is not None:
            rows = rows.where(F.col("date") >= F.lit(newest - timedelta(days=DAYS)))
    return lasting(rows, time, DAYS * 24)
