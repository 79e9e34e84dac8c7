"""``ingestion_distribution_stats``: every numeric sensor by day, and how far a day lies from the thirty before it."""

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
from fleet_health.monitoring.measured import DAY, rows_of, sliced
from fleet_health.profiles.model import Profile

REFERENCE_DAYS = 30
LEAST_DAYS = 5
FAR = 2.0
"""Deviations of the daily means beyond which a day has shifted."""
SAME = 1e-9
"""A deviation below this share of the mean is rounding: a set point that nobody touched has none."""
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - naive is UTC in a session whose zone is UTC
Day = dict[str, Any]


def sensor_statistics(clean: DataFrame, registry: DataFrame, profile: Profile) -> DataFrame:
    """The rows of contract M12: numeric sensors by day of receipt, for the fleet, each region and each firmware."""
    numeric = [one.name for one in profile.sensors if one.type == "double"]
    named = F.broadcast(registry.select("device_id", "region", "firmware_version"))
    day = F.expr(f"unix_timestamp(timestamp_ingested) DIV {DAY} * {DAY}")
    rows = clean.select("device_id", "timestamp_ingested", *numeric).join(named, "device_id", "left")
    told = [
        one
        for s in numeric
        for one in (
            f"avg(`{s}`) AS `{s}_mean`",
            f"stddev(`{s}`) AS `{s}_std`",
            f"percentile_approx(`{s}`, array(0.05D, 0.5D, 0.95D, 0.99D)) AS `{s}_p`",
        )
    ]
    cut = sliced(rows.withColumn("day", day), ("region", "firmware_version")).groupBy(
        "day", "slice_name", "slice_value"
    )
    series: dict[tuple[str, str], list[Any]] = defaultdict(list)
    for row in rows_of(cut.agg(*map(F.expr, told)), "*"):
        series[row["slice_name"], row["slice_value"]].append(row)
    made = [
        tuple({**one, "sensor_name": s, "slice_name": part[0], "slice_value": part[1]}[name] for name in _NAMES)
        for part, found in series.items()
        for s in numeric
        for one in compared([_day(row, s) for row in sorted(found, key=lambda row: row["day"])])
    ]
    return frame_of(clean.sparkSession, made, SENSOR_STATISTICS_SCHEMA)


_NAMES = SENSOR_STATISTICS_SCHEMA.fieldNames()


def _day(row: Any, sensor: str) -> Day:
    shares = row[f"{sensor}_p"] or [None] * 4
    told = dict(zip(("p05", "p50", "p95", "p99"), shares, strict=True))
    start = _EPOCH + dt.timedelta(seconds=row["day"])
    return {"period_start": start, "mean": row[f"{sensor}_mean"], "std": row[f"{sensor}_std"], **told}


def compared(days: Sequence[Day]) -> Iterator[Day]:
    """Each day with what the days before it were like, oldest first."""
    for place, day in enumerate(days):
        before = days[max(place - REFERENCE_DAYS, 0) : place]
        means = [one["mean"] for one in before if one["mean"] is not None]
        tops = [one["p99"] for one in before if one["p99"] is not None]
        enough = len(means) >= LEAST_DAYS
        mean = statistics.fmean(means) if enough else None
        spread = statistics.stdev(means) if enough else None
        top = statistics.fmean(tops) if enough else None
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
            "shift_detected": above or (sigma is not None and abs(sigma) > FAR),
        }
