"""What a measure is: figures by part and period, several to a pass, one pass for each dataset that is read."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.monitoring.judgement import ALL, Figure
from fleet_health.profiles.model import Profile

HOUR, DAY = 3600, 86_400
TOO_LITTLE = -1
"""As ``rows``: there was something, and too little to say anything."""
FIGURES = "measure string, dimension string, period long, value double, expected double, rows long"


@dataclass(frozen=True)
class Watched:
    """The datasets by contract name, as they are at the logical time of the check, and the fleet."""

    frames: Mapping[str, DataFrame]
    profile: Profile

    def __getitem__(self, dataset: str) -> DataFrame:
        return self.frames[dataset]


@dataclass(frozen=True)
class Pass:
    """Measures that share one reading of a dataset.

    Attributes:
        measures: what :attr:`compute` gives figures of.
        needs: the datasets it reads, the watched one first.
        compute: rows of :data:`FIGURES`.
        absent: why a fleet can have no such figure at all; ``None`` when it can.
        quiet: measures of which no figure is no failure, and why there may be none.
    """

    measures: tuple[str, ...]
    needs: tuple[str, ...]
    compute: Callable[[Watched], DataFrame]
    absent: Callable[[Profile], str | None] = lambda _profile: None
    quiet: Mapping[str, str] = field(default_factory=dict)


def figure(
    measure: str,
    value: Column,
    *,
    dimension: Column | str = ALL,
    period: Column | None = None,
    expected: Column | None = None,
    rows: Column | None = None,
) -> Column:
    """One figure as a struct; :func:`figures` turns several of a row into rows."""
    nothing = F.lit(None)
    return F.struct(
        F.lit(measure).alias("measure"),
        (F.lit(dimension) if isinstance(dimension, str) else dimension).cast("string").alias("dimension"),
        (F.lit(0) if period is None else period).cast("long").alias("period"),
        value.cast("double").alias("value"),
        (nothing if expected is None else expected).cast("double").alias("expected"),
        (nothing if rows is None else rows).cast("long").alias("rows"),
    )


def figures(rows: DataFrame, *made: Column) -> DataFrame:
    """The figures of every row, one below the other; a figure without a part is left out."""
    return rows.select(F.explode(F.array(*made)).alias("one")).select("one.*").where(F.col("dimension").isNotNull())


def collected(watched: Watched, passes: Iterable[Pass]) -> dict[str, list[Figure]]:
    """The figures of all measures whose datasets are there, in one Spark job; an empty list where there is none."""
    used = [one for one in passes if set(one.needs) <= set(watched.frames)]
    found: dict[str, list[Figure]] = {name: [] for one in used for name in one.measures}
    if not used:
        return found
    together = functools.reduce(DataFrame.unionByName, (one.compute(watched) for one in used))
    # figures by part and period: some thousands, whatever the size of the fleet
    for row in together.collect():
        told = Figure(row["dimension"], row["period"], row["value"], row["expected"], row["rows"])
        found[row["measure"]].append(told)
    return found


def hour_of(time: str) -> Column:
    """The start of the hour, seconds since 1970."""
    return F.floor(F.unix_timestamp(time) / HOUR) * HOUR


def day_of(time: str) -> Column:
    """The start of the UTC day, seconds since 1970."""
    return F.floor(F.unix_timestamp(time) / DAY) * DAY


def share(part: Column, whole: Column) -> Column:
    """``part / whole``; null when there is nothing to divide by."""
    return F.when(whole > 0, part / whole)


def counted(condition: Column) -> Column:
    """How often ``condition`` holds."""
    return F.count(F.when(condition, 1))


def sliced(rows: DataFrame, cuts: Iterable[str]) -> DataFrame:
    """Every row once for the whole and once for each of its parts that is known: ``slice_name``, ``slice_value``."""
    whole = F.struct(F.lit(ALL).alias("slice_name"), F.lit(ALL).alias("slice_value"))
    parts = [F.struct(F.lit(name).alias("slice_name"), F.col(name).alias("slice_value")) for name in cuts]
    told = rows.withColumn("_slice", F.explode(F.array(whole, *parts)))
    return told.select("*", "_slice.*").drop("_slice").where(F.col("slice_value").isNotNull())
