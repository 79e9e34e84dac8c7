"""``device_dropout_flags``: how each active unit reported in each hour, silence included."""

from __future__ import annotations

import functools
import operator

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T
from pyspark.sql.window import Window

from fleet_health.contracts.conform import conform
from fleet_health.contracts.monitoring import DROPOUT_SCHEMA
from fleet_health.monitoring.measured import HOUR, hour_of
from fleet_health.profiles.model import Profile

HOURS = 48
"""How far the first look reaches back."""
GAP_SECONDS = 300
GAPS = 3
"""Silences within the hour from which on a unit is intermittent."""
SILENT_SENSORS = 4.0
"""Sensors without a value on average, beyond those it does not have, from which on a subset has dropped out."""


def dropout_flags(clean: DataFrame, registry: DataFrame, profile: Profile, after: int | None = None) -> DataFrame:
    """The verdicts of contract M1 for every full hour of receipt.

    Args:
        clean: ``clean_sensor_readings``.
        registry: ``device_registry``; every active unit has a row in every hour, so silence is zero and not absent.
        after: end of the newest hour that has verdicts already, seconds since 1970; without it the last :data:`HOURS`.

    Returns:
        rules in order: nothing read; less than half of the expected readings; more than four expected sensors silent
        on average; three silences of more than five minutes; healthy.
    """
    spark = clean.sparkSession
    # one row: the newest hour that is over
    newest = clean.agg(F.max(hour_of("timestamp_ingested")).alias("hour")).collect()[0]["hour"]
    if newest is None:
        return spark.createDataFrame([], DROPOUT_SCHEMA)
    first = int(newest) - HOURS * HOUR if after is None else after
    hours = spark.range(first, int(newest), HOUR).select(F.col("id").alias("hour"))
    active = registry.where(F.col("status") == "active").select(
        "device_id", F.col("expected_readings_per_hour").alias("expected"), "expected_sensors"
    )
    inside = clean.where((hour_of("timestamp_ingested") >= first) & (hour_of("timestamp_ingested") < newest))
    named = inside.join(F.broadcast(active.select("device_id", "expected_sensors")), "device_id")
    before = F.lag("timestamp_utc").over(Window.partitionBy("device_id", "hour").orderBy("timestamp_utc"))
    silence = (F.unix_timestamp("timestamp_utc") - F.unix_timestamp("_before")) > GAP_SECONDS
    rows = named.withColumn("hour", hour_of("timestamp_ingested")).withColumn("_before", before)
    due = {s: F.coalesce(F.array_contains("expected_sensors", s), F.lit(True)) for s in profile.sensor_names}
    nulls = functools.reduce(operator.add, ((F.col(s).isNull() & due[s]).cast("int") for s in profile.sensor_names))
    absent = [F.when(F.count(s) == 0, F.when(F.max(due[s]), F.lit(s))) for s in profile.sensor_names]
    seen = rows.groupBy("device_id", "hour").agg(
        F.count(F.lit(1)).alias("reading_count"),
        F.avg(nulls).alias("avg_null_sensors"),
        F.filter(F.array(*absent), lambda name: name.isNotNull()).alias("missing_sensors"),
        F.count(F.when(silence, 1)).alias("gap_count"),
        F.max("timestamp_utc").alias("last_reading_at"),
    )
    grid = active.crossJoin(F.broadcast(hours)).join(seen, ["device_id", "hour"], "left")
    nothing = F.array().cast(T.ArrayType(T.StringType()))
    filled = grid.withColumns(
        {
            "reading_count": F.coalesce("reading_count", F.lit(0)),
            "gap_count": F.coalesce("gap_count", F.lit(0)),
            "missing_sensors": F.coalesce("missing_sensors", F.col("expected_sensors"), nothing),
            "expected_reading_count": F.col("expected"),
            "evaluated_hour": F.timestamp_seconds(F.col("hour") + HOUR),
        }
    )
    return conform(filled.withColumn("dropout_type", _verdict()), DROPOUT_SCHEMA)


def _verdict() -> Column:
    return (
        F.when(F.col("reading_count") == 0, "FULL_DROPOUT")
        .when(F.col("reading_count") < F.col("expected_reading_count") / 2, "FREQUENCY_DEGRADATION")
        .when(F.col("avg_null_sensors") > SILENT_SENSORS, "SENSOR_SUBSET_DROPOUT")
        .when(F.col("gap_count") >= GAPS, "INTERMITTENT_DROPOUT")
        .otherwise("HEALTHY")
    )
