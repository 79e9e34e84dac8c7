"""``schema_change_log``: since when each sensor is there, and how much of the fleet reports it.

Spark counts devices by day; the few rows of the log are made of those counts in Python. What earlier days told is in
the log already, so a run reads the days since the last one and a week before them, and never the history again.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.schemas import plain_schema
from fleet_health.ingestion.cleansing import utc_day
from fleet_health.profiles.model import Profile
from fleet_health.profiles.records import SchemaLog

LOG_SCHEMA = plain_schema("schema_change_log")
WEEK = timedelta(days=7)
Row = dict[str, Any]


@dataclass(frozen=True)
class Coverage:
    """Devices with a value, by sensor.

    Attributes:
        today: UTC day of the newest receipt; it still goes on.
        first: first of the days read with a value from any device.
        viable: first of the ended days read on which the share of active devices was exceeded.
        week: percent of the active devices in the newest week.
    """

    today: date
    first: Mapping[str, date]
    viable: Mapping[str, date]
    week: Mapping[str, float]


def coverage(
    clean: DataFrame, registry: DataFrame, profile: Profile, share: float, until: date | None
) -> Coverage | None:
    """Counts by day, of the days from a week before ``until`` on (all without it); ``None`` without readings.

    Active devices are those of today's registry, which keeps no history: a grown fleet is covered late, never early.
    """
    active = registry.where("status = 'active'").select("device_id", F.lit(True).alias("_active"))
    received = clean.agg(F.max("timestamp_ingested").alias("at")).select(utc_day(F.col("at")).alias("day"))
    # one row: the day of the newest receipt, and the size of the fleet
    now = received.crossJoin(active.agg(F.count(F.lit(1)).alias("fleet"))).collect()[0]
    today, fleet = now["day"], now["fleet"]
    if today is None:
        return None
    sensors = profile.sensor_names
    since = None if until is None else min(until, today) - WEEK + timedelta(days=1)
    days = clean.where(F.col("date") <= F.lit(today))
    days = days if since is None else days.where(F.col("date") >= F.lit(since))
    told = days.groupBy("date", "device_id").agg(*(F.expr(f"bool_or(`{s}` IS NOT NULL) AS `{s}`") for s in sensors))
    per_device = told.join(F.broadcast(active), "device_id", "left").persist()
    try:
        any_one = [f"bool_or(`{s}`) AS `{s}`" for s in sensors]
        counted = [f"count_if(`{s}` AND _active) AS `{s}_active`" for s in sensors]
        # one row per day
        by_day = per_device.groupBy("date").agg(*map(F.expr, (*any_one, *counted))).orderBy("date").collect()
        recent = per_device.where(F.col("_active") & (F.col("date") > F.lit(today - WEEK)))
        devices = recent.groupBy("device_id").agg(*map(F.expr, any_one))
        # one row: devices of the fleet
        week = devices.agg(*(F.expr(f"count_if(`{s}`) AS `{s}`") for s in sensors)).collect()[0]
    finally:
        per_device.unpersist()
    first = {s: next((row["date"] for row in by_day if row[s]), None) for s in sensors}
    ended = [row for row in by_day if row["date"] < today]
    viable = {s: next((row["date"] for row in ended if row[f"{s}_active"] > share * fleet), None) for s in sensors}
    return Coverage(
        today,
        {s: day for s, day in first.items() if day is not None},
        {s: day for s, day in viable.items() if day is not None},
        {s: 100.0 * week[s] / fleet if fleet else 0.0 for s in sensors},
    )


def log_rows(found: Coverage, before: Mapping[str, Row], profile: Profile, log: SchemaLog) -> Iterator[Row]:
    """The rows of contract X6.

    Args:
        found: what the days that were read tell.
        before: the log as it was, by column; its days stay where the days read tell no earlier one.
        profile: the sensors.
        log: what people say of them.
    """
    said = {note.sensor: note for note in log.notes}
    for name in profile.sensor_names:
        known, note = before.get(name, {}), said.get(name)
        added = _earlier(found.first.get(name), known.get("date_added")) or found.today
        yield {
            "column_name": name,
            "date_added": added,
            "date_deprecated": note.deprecated if note else None,
            "fleet_coverage_pct": found.week[name],
            "min_viable_training_date": _earlier(found.viable.get(name), known.get("min_viable_training_date")),
            "notes": note.says if note else None,
            "measured_until": found.today,
        }
    for name, known in before.items():
        if name not in profile.sensor_names:
            left = known["date_deprecated"] or found.today
            yield {**known, "date_deprecated": left, "fleet_coverage_pct": 0.0, "measured_until": found.today}


def _earlier(one: date | None, other: date | None) -> date | None:
    return min((day for day in (one, other) if day is not None), default=None)
