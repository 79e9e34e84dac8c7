"""``ingestion_distribution_stats``: every numeric sensor by day, and how far a day lies from the thirty before it.

Of a sensor that counts, the day is what a device gained in it (:mod:`fleet_health.monitoring.counters`).
"""

from __future__ import annotations

import datetime as dt
import statistics
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import frame_of
from fleet_health.contracts.monitoring import SENSOR_STATISTICS_SCHEMA
from fleet_health.monitoring.counters import MANY, gained
from fleet_health.monitoring.measured import DAY, rows_of, sliced
from fleet_health.profiles.model import Profile

REFERENCE_DAYS = 30
LEAST_DAYS = 5
FAR = 2.0
"""Deviations of the daily means beyond which a day has shifted."""
SAME = 1e-9
"""A deviation below this share of the mean is rounding: a set point that nobody touched has none."""
_CUTS = ("region", "firmware_version")
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - naive is UTC in a session whose zone is UTC
Day = dict[str, Any]


def sensor_statistics(clean: DataFrame, registry: DataFrame, profile: Profile) -> DataFrame:
    """The rows of contract M12: numeric sensors by day of receipt, for the fleet, each region and each firmware."""
    numeric = [one.name for one in profile.sensors if one.type == "double" and not one.counter]
    counters = [one.name for one in profile.sensors if one.counter]
    day = F.expr(f"unix_timestamp(timestamp_ingested) DIV {DAY} * {DAY}").alias("day")
    rows = clean.select("device_id", day, "timestamp_utc", *numeric, *counters)
    told = [
        one
        for s in numeric
        for one in (
            f"avg(`{s}`) AS `{s}_mean`",
            f"stddev(`{s}`) AS `{s}_std`",
            f"percentile_approx(`{s}`, array(0.05D, 0.5D, 0.95D, 0.99D)) AS `{s}_p`",
        )
    ]
    series = _series(rows, registry, numeric, told)
    if counters:
        told = [
            one
            for s in counters
            for one in (
                f"avg(`{s}`) AS `{s}_mean`",
                f"stddev(`{s}`) AS `{s}_std`",
                f"avg(`{s}_restarted`) AS `{s}_restarted`",
            )
        ]
        series |= _series(gained(rows, counters), registry, counters, told)
    made = [
        tuple({**one, "sensor_name": s, "slice_name": name, "slice_value": value}[column] for column in _NAMES)
        for (name, value, s), days in series.items()
        for one in compared(days)
    ]
    return frame_of(clean.sparkSession, made, SENSOR_STATISTICS_SCHEMA)


_NAMES = SENSOR_STATISTICS_SCHEMA.fieldNames()


def _series(
    rows: DataFrame, registry: DataFrame, sensors: Sequence[str], told: Sequence[str]
) -> dict[tuple[str, str, str], list[Day]]:
    """The days of each part and sensor, oldest first."""
    named = rows.join(F.broadcast(registry.select("device_id", *_CUTS)), "device_id", "left")
    cut = sliced(named, _CUTS).groupBy("day", "slice_name", "slice_value")
    series: dict[tuple[str, str, str], list[Day]] = defaultdict(list)
    for row in sorted(rows_of(cut.agg(*map(F.expr, told)), "*"), key=lambda row: row["day"]):
        for s in sensors:
            series[row["slice_name"], row["slice_value"], s].append(_day(row.asDict(), s))
    return series


def _day(row: Day, sensor: str) -> Day:
    shares = row.get(f"{sensor}_p") or [None] * 4
    told = dict(zip(("p05", "p50", "p95", "p99"), shares, strict=True))
    start = _EPOCH + dt.timedelta(seconds=row["day"])
    restarted = row.get(f"{sensor}_restarted")
    return {
        "period_start": start,
        "mean": row[f"{sensor}_mean"],
        "std": row[f"{sensor}_std"],
        "restarted_share": restarted,
        **told,
    }


def compared(days: Sequence[Day]) -> Iterator[Day]:
    """Each day with what the days before it were like, oldest first."""
    for place, day in enumerate(days):
        before = days[max(place - REFERENCE_DAYS, 0) : place]
        means = [one["mean"] for one in before if one["mean"] is not None]
        tops = [one["p99"] for one in before if one["p99"] is not None]
        enough = len(means) >= LEAST_DAYS
        mean = statistics.fmean(means) if enough else None
        spread = statistics.stdev(means) if enough else None
        top = statistics.fmean(tops) if enough and tops else None
        sigma = None
        if day["mean"] is not None and mean is not None and spread is not None and spread > SAME * abs(mean):
            sigma = (day["mean"] - mean) / spread
        above = top is not None and day["p95"] is not None and day["p95"] > top
        yield {
            **day,
            "baseline_mean": mean,
            "baseline_std": spread,
            "baseline_p99": top,
            "deviation_sigma": sigma,
            "shift_detected": above
            or (sigma is not None and abs(sigma) > FAR)
            or (day.get("restarted_share") or 0.0) > MANY,
        }
