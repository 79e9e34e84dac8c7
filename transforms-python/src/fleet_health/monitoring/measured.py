"""What a measure is: figures by part and period, several to a pass, one pass for each dataset that is read.

Spark adds up what grows with the fleet and hands over a row per part and period; figures are made of those in Python.
To plan a query costs Spark more than to run it over a small fleet, so passes ask short questions, in text where one
expression after the other would be sent to the JVM.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from fleet_health.monitoring.judgement import ALL, Figure
from fleet_health.profiles.model import Profile

HOUR, DAY = 3600, 86_400
TOO_LITTLE = -1
"""As ``rows``: there was something, and too little to say anything."""
HISTORY_DAYS = 40
"""No metric looks back further than thirty days; the rest is for gaps and for thresholds that ask for days in a row."""


@dataclass(frozen=True)
class Watched:
    """The datasets by contract name, as they are at the logical time of the check, and the fleet."""

    frames: Mapping[str, DataFrame]
    profile: Profile
    _newest: dict[tuple[str, str], int | None] = field(default_factory=dict, compare=False)

    def __getitem__(self, dataset: str) -> DataFrame:
        return self.frames[dataset]

    def newest(self, dataset: str, time: str) -> int | None:
        """The newest ``time`` of a dataset, microseconds since 1970; null without rows. Each is asked for once."""
        if (dataset, time) not in self._newest:
            # an aggregate of all rows has one row
            self._newest[dataset, time] = self[dataset].agg(F.expr(f"max(unix_micros({time}))")).collect()[0][0]
        return self._newest[dataset, time]

    def recent(self, dataset: str, time: str, seconds: int = HISTORY_DAYS * DAY) -> DataFrame:
        """The rows of the last ``seconds`` of a dataset, its newest row among them."""
        newest = self.newest(dataset, time)
        since = 0 if newest is None else newest // 1_000_000 - seconds
        return self[dataset].where(f"{time} > timestamp_seconds({since})")

    @cached_property
    def units(self) -> tuple[int, int | None]:
        """Active devices, and the readings that the registry expects of them in an hour."""
        told = ["count(1) AS active", "sum(expected_readings_per_hour) AS expected"]
        # an aggregate of all rows has one row
        row = self.active().agg(*map(F.expr, told)).collect()[0]
        return row["active"], row["expected"]

    def active(self) -> DataFrame:
        """The devices that are in service."""
        return self["device_registry"].where("status = 'active'")


Told = tuple[str, Figure]


@dataclass(frozen=True)
class Pass:
    """Measures that share one reading of a dataset.

    Attributes:
        measures: what :attr:`compute` gives figures of.
        needs: the datasets it reads, the watched one first.
        compute: measure and figure, in any order.
        absent: why a fleet can have no such figure at all; ``None`` when it can.
        quiet: measures of which no figure is no failure, and why there may be none.
    """

    measures: tuple[str, ...]
    needs: tuple[str, ...]
    compute: Callable[[Watched], Iterator[Told]]
    absent: Callable[[Profile], str | None] = lambda _profile: None
    quiet: Mapping[str, str] = field(default_factory=dict)


def figure(
    measure: str,
    value: float | None,
    dimension: str = ALL,
    period: int = 0,
    expected: float | None = None,
    rows: int | None = None,
) -> Told:
    """One figure of a measure."""
    return measure, Figure(dimension, period, value, expected, rows)


def collected(watched: Watched, passes: Iterable[Pass]) -> dict[str, list[Figure]]:
    """The figures of all measures whose datasets are there; an empty list where there is none."""
    found: dict[str, list[Figure]] = {}
    for one in passes:
        if not set(one.needs) <= set(watched.frames):
            continue
        found |= {name: [] for name in one.measures}
        for measure, told in one.compute(watched):
            found[measure].append(told)
    return found


def rows_of(frame: DataFrame, *columns: str) -> list[Row]:
    """The rows of ``columns``, each a name or an expression in text."""
    # what passes ask for is added up by part and period: thousands of rows, whatever the size of the fleet
    return frame.selectExpr(*columns).collect()


def ratio(part: float | None, whole: float | None) -> float | None:
    """``part / whole``; null when there is nothing to divide by."""
    return part / whole if whole and part is not None else None


def hour_of(time: str) -> Column:
    """The start of the hour, seconds since 1970."""
    return F.floor(F.unix_timestamp(time) / HOUR) * HOUR


def sliced(rows: DataFrame, cuts: Iterable[str]) -> DataFrame:
    """Every row once for the whole and once for each of its parts that is known: ``slice_name``, ``slice_value``."""
    whole = F.struct(F.lit(ALL).alias("slice_name"), F.lit(ALL).alias("slice_value"))
    parts = [F.struct(F.lit(name).alias("slice_name"), F.col(name).alias("slice_value")) for name in cuts]
    told = rows.withColumn("_slice", F.explode(F.array(whole, *parts)))
    return told.select("*", "_slice.*").drop("_slice").where(F.col("slice_value").isNotNull())
