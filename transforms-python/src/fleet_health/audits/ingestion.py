"""Measures from landing to clean."""

from __future__ import annotations

import functools
import operator
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.audits.measured import Audited, Group, counted, last_days, result, share
from fleet_health.contracts.clean import (
    ALL_SENSORS_NULL,
    DUPLICATE_EVENT_ID,
    MERGED,
    RANGE_VIOLATION,
    UNREAD_REASONS,
)
from fleet_health.ingestion.cleansing import utc_day
from fleet_health.ingestion.look_back import LOOK_BACK_DAYS
from fleet_health.ingestion.training_archive import received_from

ARCHIVED_WITHIN_DAYS = 8
"""How long after the end of a week its readings may take to be in the archive: a weekly job, and a day to repeat it."""
_NO_DAY = date(1970, 1, 1)


def _clean(audited: Audited) -> DataFrame:
    """Rows whose null count is wrong, rows that carry a flag twice, and the worst hour of range violations."""
    nulls = functools.reduce(operator.add, (F.col(s).isNull().cast("int") for s in audited.profile.sensor_names))
    rows = last_days(audited["clean_sensor_readings"], "timestamp_utc")
    hours = rows.groupBy(F.floor(F.unix_micros("timestamp_utc") / 3_600_000_000).alias("hour")).agg(
        F.count(F.lit(1)).alias("n"),
        counted(~nulls.eqNullSafe(F.col("sensor_null_count"))).alias("miscounted"),
        counted(F.size("quality_flags") > F.size(F.array_distinct("quality_flags"))).alias("repeated"),
        counted(F.array_contains("quality_flags", RANGE_VIOLATION)).alias("violated"),
    )
    n = F.sum("n")
    return hours.agg(
        result(F.sum("miscounted"), n, "miscounted_nulls"),
        result(F.sum("repeated"), n, "repeated_flags"),
        result(F.max(share(F.col("violated"), F.col("n"))), F.count("hour"), "range_violations_per_hour"),
    )


def _keys(audited: Audited) -> DataFrame:
    rows = last_days(audited["clean_sensor_readings"], "timestamp_utc")
    n = F.count(F.lit(1))
    return rows.agg(result(n - F.countDistinct("event_id"), n, "repeated_event_ids"))


def _archived_twice(audited: Audited) -> DataFrame:
    rows = last_days(audited["training_archive"], "timestamp_ingested")
    n = F.count(F.lit(1))
    return rows.agg(result(n - F.countDistinct("event_id"), n, "archived_twice"))


def _archived(audited: Audited) -> DataFrame:
    """Messages of raw that the archive holds, of the newest week by day of receipt that it has reached or is due.

    A repeat counts as archived with the copy that came first, which may lie :data:`LOOK_BACK_DAYS` before.
    """
    raw, archive = audited["raw_sensor_readings"], audited["training_archive"]
    received, archived = raw.agg(F.max("timestamp_ingested").alias("at")), archive.agg(F.max("date").alias("day"))
    # one row: Spark leaves out files and days only for values that it knows when it plans
    newest = received.select(utc_day(F.col("at")).alias("today")).crossJoin(archived).collect()[0]
    due = (newest["today"] or _NO_DAY) - timedelta(days=ARCHIVED_WITHIN_DAYS + 1)
    last = max(due, newest["day"] or _NO_DAY)
    first = last - timedelta(days=6)
    week = raw.where(received_from(first) & ~received_from(last + timedelta(days=1))).select("event_id").distinct()
    near = F.col("date").between(F.lit(first - timedelta(days=LOOK_BACK_DAYS)), F.lit(last))
    kept = archive.where(near).select("event_id", F.lit(True).alias("kept")).distinct()
    n = F.count(F.lit(1))
    rows = week.join(kept, "event_id", "left")
    return rows.agg(result(share(counted(F.col("kept")), n), n, "archived_share"))


def _raw(audited: Audited) -> DataFrame:
    rows = last_days(audited["raw_sensor_readings"], "timestamp_ingested")
    early, n = counted(F.col("timestamp_ingested") < F.col("timestamp_device")), F.count(F.lit(1))
    return rows.agg(result(share(early, n), n, "received_before_measured"))


def _deliveries(audited: Audited) -> DataFrame:
    """The worst file, from the counts that cleansing keeps; nothing is scanned for it. Lines that became part of a
    reading are no readings of their own.
    """

    def of(*outcomes: str) -> Column:
        return F.coalesce(F.sum(F.when(F.col("outcome").isin(*outcomes), F.col("rows"))), F.lit(0))

    unread = F.coalesce(F.sum(F.when(F.col("reason").isin(*UNREAD_REASONS), F.col("rows"))), F.lit(0))
    files = audited["row_conservation"].groupBy("source_file")
    counts = files.agg(
        F.sum("rows").alias("lines"),
        (F.sum("rows") - unread - of(MERGED)).alias("readings"),
        of("DUPLICATE").alias("repeats"),
        of("QUARANTINE").alias("held"),
        of("DEAD_LETTER").alias("dead"),
    )
    n = F.count(F.lit(1))
    return counts.agg(
        result(F.max(share(F.col("repeats"), F.col("readings"))), n, "repeats_per_delivery"),
        result(F.max(share(F.col("held"), F.col("readings"))), n, "quarantined_per_delivery"),
        result(F.max(share(F.col("dead"), F.col("lines"))), n, "dead_letters_per_delivery"),
    )


def _conserved(audited: Audited) -> DataFrame:
    """Rows of clean against rows of raw without those that cleansing counted elsewhere."""
    reasons = (ALL_SENSORS_NULL, DUPLICATE_EVENT_ID)  # a sensor that was repeated was merged before raw
    elsewhere = (F.col("outcome") == "QUARANTINE") | F.col("reason").isin(*reasons)
    told = audited["row_conservation"].agg(
        F.coalesce(F.sum(F.when(elsewhere, F.col("rows"))), F.lit(0)).alias("elsewhere")
    )
    raw = audited["raw_sensor_readings"].agg(F.count(F.lit(1)).alias("raw"))
    clean = audited["clean_sensor_readings"].agg(F.count(F.lit(1)).alias("clean"))
    kept = share(F.col("clean"), F.col("raw") - F.col("elsewhere"))
    return raw.crossJoin(clean).crossJoin(told).select(result(kept, F.col("raw"), "valid_rows_kept"))


GROUPS = (
    Group(("miscounted_nulls", "repeated_flags", "range_violations_per_hour"), ("clean_sensor_readings",), _clean),
    Group(("repeated_event_ids",), ("clean_sensor_readings",), _keys),
    Group(("archived_twice",), ("training_archive",), _archived_twice),
    Group(("archived_share",), ("raw_sensor_readings", "training_archive"), _archived),
    Group(("received_before_measured",), ("raw_sensor_readings",), _raw),
    Group(
        ("repeats_per_delivery", "quarantined_per_delivery", "dead_letters_per_delivery"),
        ("row_conservation",),
        _deliveries,
    ),
    Group(
        ("valid_rows_kept",),
        ("raw_sensor_readings", "clean_sensor_readings", "row_conservation"),
        _conserved,
    ),
)
