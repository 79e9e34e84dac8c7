"""The measured values: one function per measure, returning ``dimension, value`` (null where it cannot be measured)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.clean import RANGE_VIOLATION
from fleet_health.data_time import with_data_time
from fleet_health.profiles.model import Profile

ALL = "ALL"
SIGNIFICANT_PSI = 0.25


@dataclass(frozen=True)
class Watched:
    """The datasets that are measured, as they are at the logical time of the check."""

    raw: DataFrame
    clean: DataFrame
    registry: DataFrame
    drift: DataFrame
    profile: Profile


def rows_over_expected(watched: Watched) -> DataFrame:
    """Raw rows of active devices in the last full hour before data time, over what the registry expects of them."""
    active = watched.registry.where(F.col("status") == "active").select("device_id", "expected_readings_per_hour")
    timed = with_data_time(watched.raw.select("device_id", "timestamp_ingested"), watched.raw, "_now")
    hour = F.date_trunc("hour", "_now")
    inside = (F.col("timestamp_ingested") >= hour - F.expr("INTERVAL 1 HOUR")) & (F.col("timestamp_ingested") < hour)
    arrived = (
        timed.where(inside)
        .join(F.broadcast(active.select("device_id")), "device_id")
        .agg(F.count(F.lit(1)).alias("rows"))
    )
    expected = active.agg(F.sum("expected_readings_per_hour").alias("expected"))
    return arrived.crossJoin(expected).select(_dimension(ALL), (F.col("rows") / F.col("expected")).alias("value"))


def minutes_behind_raw(watched: Watched) -> DataFrame:
    """Newest raw receipt time minus newest receipt time in clean, in minutes."""
    newest = [
        frame.agg(F.max(F.unix_micros("timestamp_ingested")).alias(name))
        for frame, name in ((watched.raw, "raw"), (watched.clean, "clean"))
    ]
    return (
        newest[0]
        .crossJoin(newest[1])
        .select(_dimension(ALL), ((F.col("raw") - F.col("clean")) / F.lit(60_000_000.0)).alias("value"))
    )


def sensor_null_rate_change(watched: Watched) -> DataFrame:
    """Null share per sensor in the last hour of data, minus the share in the seven days before.

    Only readings of devices that should report the sensor count; a sensor that none of them should report has no row.
    """
    expected = watched.registry.select("device_id", "expected_sensors")
    rows = with_data_time(watched.clean, watched.clean, "_now").join(F.broadcast(expected), "device_id")
    last = _last_hour()
    before = ~last & (F.col("timestamp_ingested") > F.col("_now") - F.expr("INTERVAL 7 DAYS"))
    changes = []
    for sensor in watched.profile.sensor_names:
        due = F.coalesce(F.array_contains("expected_sensors", sensor), F.lit(True))
        null = F.col(sensor).isNull().cast("double")
        change = F.avg(F.when(last & due, null)) - F.avg(F.when(before & due, null))
        changes.append(F.struct(F.lit(sensor).alias("dimension"), change.alias("value"), F.max(due).alias("due")))
    per_sensor = rows.where(last | before).agg(F.explode(F.array(*changes)).alias("sensor")).select("sensor.*")
    return per_sensor.where("due").select("dimension", "value")


def range_violation_share(watched: Watched) -> DataFrame:
    """Share of the last hour's rows that carry RANGE_VIOLATION."""
    rows = with_data_time(watched.clean, watched.clean, "_now").where(_last_hour())
    violated = F.array_contains("quality_flags", RANGE_VIOLATION).cast("double")
    return rows.agg(F.avg(violated).alias("value")).select(_dimension(ALL), "value")


def features_in_significant_drift(watched: Watched) -> DataFrame:
    """How many features have a PSI above 0.25 in the newest period."""
    counted = watched.drift.agg(
        F.count(F.when(F.col("psi_value") > SIGNIFICANT_PSI, 1)).alias("n"), F.count("psi_value").alias("of")
    )
    return counted.select(_dimension(ALL), F.when(F.col("of") > 0, F.col("n").cast("double")).alias("value"))


MEASURES: Mapping[str, Callable[[Watched], DataFrame]] = {
    measure.__name__: measure
    for measure in (
        rows_over_expected,
        minutes_behind_raw,
        sensor_null_rate_change,
        range_violation_share,
        features_in_significant_drift,
    )
}


def _last_hour() -> Column:
    return F.col("timestamp_ingested") > F.col("_now") - F.expr("INTERVAL 1 HOUR")


def _dimension(name: str) -> Column:
    return F.lit(name).alias("dimension")
