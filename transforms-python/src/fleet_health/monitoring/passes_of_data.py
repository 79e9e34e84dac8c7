"""Figures of readings and windows: how many, how old, how empty, how odd."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.clean import CLEAN_FLAGS, CLOCK_DRIFT, RANGE_VIOLATION, SENSOR_GAP
from fleet_health.data_time import with_data_time
from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.measured import (
    DAY,
    HOUR,
    Pass,
    Watched,
    counted,
    day_of,
    figure,
    figures,
    hour_of,
    share,
)
from fleet_health.monitoring.quality import files_by_time

HOURS = 3
"""Full hours of raw rows that are looked at: high volume must last as many."""
WEEK_HOURS = 168


def _raw(watched: Watched) -> DataFrame:
    """Rows of active devices in each of the last full hours, over what the registry expects of them."""
    active = watched["device_registry"].where(F.col("status") == "active")
    rows = with_data_time(watched["raw_sensor_readings"], watched["raw_sensor_readings"], "_now")
    age = (hour_of("_now") - hour_of("timestamp_ingested")) / HOUR
    arrived = rows.join(F.broadcast(active.select("device_id")), "device_id").agg(
        F.max(hour_of("_now")).alias("now"), *(counted(age == n).alias(f"rows_{n}") for n in range(1, HOURS + 1))
    )
    expected = active.agg(F.sum("expected_readings_per_hour").alias("expected"))
    told = [
        figure("rows_of_expected", share(F.col(f"rows_{n}"), F.col("expected")), period=F.col("now") - n * HOUR)
        for n in range(1, HOURS + 1)
    ]
    return figures(arrived.crossJoin(expected), *told)


def _behind(watched: Watched) -> DataFrame:
    """Newest receipt time of raw minus newest of clean, in minutes."""
    newest = [
        watched[dataset].agg(F.max(F.unix_micros("timestamp_ingested")).alias(name))
        for dataset, name in (("clean_sensor_readings", "clean"), ("raw_sensor_readings", "raw"))
    ]
    minutes = (F.col("raw") - F.col("clean")) / F.lit(60_000_000.0)
    return figures(newest[0].crossJoin(newest[1]), figure("minutes_behind_raw", minutes))


def _clean(watched: Watched) -> DataFrame:
    """By hour of receipt over a week: null share of each sensor among devices that should report it, and two flags."""
    clean = watched["clean_sensor_readings"]
    known = F.broadcast(watched["device_registry"].select("device_id", "expected_sensors"))
    recent = with_data_time(clean, clean, "_now").where(
        F.unix_timestamp("timestamp_ingested") > F.unix_timestamp("_now") - WEEK_HOURS * HOUR
    )
    rows = recent.join(known, "device_id").withColumn("hour", hour_of("timestamp_ingested"))
    sensors = watched.profile.sensor_names
    due = {s: F.coalesce(F.array_contains("expected_sensors", s), F.lit(True)) for s in sensors}
    hours = rows.groupBy("hour").agg(
        F.count(F.lit(1)).alias("n"),
        *(counted(F.array_contains("quality_flags", flag)).alias(flag) for flag in (RANGE_VIOLATION, CLOCK_DRIFT)),
        *(counted(due[s]).alias(f"due_{s}") for s in sensors),
        *(counted(due[s] & F.col(s).isNull()).alias(f"null_{s}") for s in sensors),
    )
    hour = F.col("hour")
    # a sensor that no device should report has no figure
    nulls = [
        figure(
            "sensor_null_share",
            share(F.col(f"null_{s}"), F.col(f"due_{s}")),
            dimension=F.when(F.col(f"due_{s}") > 0, F.lit(s)),
            period=hour,
        )
        for s in sensors
    ]
    flagged = [
        figure(measure, F.col(flag) / F.col("n"), period=hour)
        for measure, flag in (("range_violation_share", RANGE_VIOLATION), ("clock_drift_share", CLOCK_DRIFT))
    ]
    return figures(hours, *flagged, *nulls)


def _files(watched: Watched) -> DataFrame:
    """By the hour in which a file's newest reading was received: what became of its lines."""
    files = files_by_time(watched["raw_sensor_readings"], watched["row_conservation"])
    hours = files.groupBy(hour_of("newest").alias("hour")).agg(
        *(F.sum(name).alias(name) for name in ("lines", "raw", "dead", "quarantined", "repeated"))
    )
    hour = F.col("hour")
    return figures(
        hours,
        figure("dead_letter_share", share(F.col("dead"), F.col("lines")), period=hour),
        figure("quarantine_share", share(F.col("quarantined"), F.col("raw")), period=hour),
        figure("duplicate_share", share(F.col("repeated"), F.col("raw")), period=hour),
    )


def _days(watched: Watched) -> DataFrame:
    """By day: whether every raw row is somewhere, and what share of the rows carries each flag."""
    summary = watched["data_quality_daily_summary"].withColumn(
        "day", F.unix_timestamp(F.col("summary_date").cast("timestamp"))
    )
    name, part, value = F.col("metric_name"), F.col("dimension_value"), F.col("value")

    def of(metric: str, dimension: str = ALL) -> Column:
        return F.coalesce(F.max(F.when((name == metric) & (part == dimension), value)), F.lit(0.0))

    lines = of("readings_quarantined") + of("readings_dead_letter", "ALL_SENSORS_NULL") + of("duplicates_removed")
    days = summary.groupBy("day").agg(
        of("readings_total").alias("raw"),
        of("readings_clean", "files").alias("clean"),
        lines.alias("elsewhere"),
        of("stuck_sensor_devices").alias("stuck"),
        *(of("flag_rate", flag).alias(flag) for flag in CLEAN_FLAGS),
    )
    day, raw = F.col("day"), F.col("raw")
    return figures(
        days,
        figure("clean_share", share(F.col("clean"), raw - F.col("elsewhere")), period=day),
        figure("rows_unaccounted", raw - F.col("clean") - F.col("elsewhere"), period=day),
        figure("stuck_devices", F.col("stuck"), period=day),
        figure("gap_share", F.col(SENSOR_GAP), period=day),
        *(figure("flag_share", F.col(flag), dimension=flag, period=day) for flag in CLEAN_FLAGS if flag != SENSOR_GAP),
    )


def _dropouts(watched: Watched) -> DataFrame:
    """Silent devices by hour, and per sensor and day the devices that sent it at least once."""
    flags = watched["device_dropout_flags"].withColumn("hour", F.unix_timestamp("evaluated_hour"))
    silent = counted(F.col("dropout_type") == "FULL_DROPOUT")
    hours = flags.groupBy("hour").agg(silent.alias("silent"))
    heard = flags.where(F.col("reading_count") > 0).withColumn("day", F.floor((F.col("hour") - 1) / DAY) * DAY)
    due = heard.join(F.broadcast(watched["device_registry"].select("device_id", "expected_sensors")), "device_id")
    sensors = watched.profile.sensor_names
    by_device = due.groupBy("day", "device_id").agg(
        *(F.max((~F.array_contains("missing_sensors", s)).cast("int")).alias(f"sent_{s}") for s in sensors),
        *(
            F.max(F.coalesce(F.array_contains("expected_sensors", s), F.lit(True)).cast("int")).alias(f"due_{s}")
            for s in sensors
        ),
    )
    days = by_device.groupBy("day").agg(
        *(F.sum(F.col(f"sent_{s}") * F.col(f"due_{s}")).alias(f"sent_{s}") for s in sensors),
        *(F.sum(f"due_{s}").alias(f"due_{s}") for s in sensors),
    )
    sent = [
        figure(
            "sensor_availability",
            share(F.col(f"sent_{s}"), F.col(f"due_{s}")),
            dimension=F.when(F.col(f"due_{s}") > 0, F.lit(s)),
            period=F.col("day"),
        )
        for s in sensors
    ]
    return figures(hours, figure("full_dropout_devices", F.col("silent"), period=F.col("hour"))).unionByName(
        figures(days, *sent)
    )


def _windows(watched: Watched) -> DataFrame:
    """Newest windows by length: devices that have one, and how far their end lies behind what was received."""
    clean, registry = watched["clean_sensor_readings"], watched["device_registry"]
    windows = watched["device_features"].withColumn("end", F.unix_timestamp("window_end"))
    length = F.col("window_duration_minutes").cast("string")
    active = F.broadcast(registry.where(F.col("status") == "active").select("device_id", F.lit(1).alias("_active")))
    marked = windows.join(active, "device_id", "left")
    ends = marked.groupBy("window_duration_minutes", "end").agg(
        F.countDistinct(F.when(F.col("_active") == 1, F.col("device_id"))).alias("devices"),
        F.percentile_approx("sensor_completeness", 0.5).alias("median"),
        F.max(F.unix_timestamp("computed_at")).alias("known"),
    )
    received = F.broadcast(clean.agg(F.max(F.unix_timestamp("timestamp_ingested")).alias("now")))
    heard = F.broadcast(
        clean.join(active, "device_id")
        .groupBy(day_of("timestamp_utc").alias("day"))
        .agg(F.countDistinct("device_id").alias("eligible"))
    )
    rows = ends.crossJoin(received).join(heard, F.floor((F.col("end") - 1) / DAY) * DAY == F.col("day"), "left")
    shortest = F.col("window_duration_minutes") == min(watched.profile.windows_minutes)
    # a window of a day of which no reading was received has nobody who could be missing
    heard_of = F.col("eligible")
    known = F.when(heard_of > 0, length)
    by_end = figures(
        rows,
        figure("window_coverage", share(F.col("devices"), heard_of), dimension=known, period=F.col("end")),
        figure("median_completeness", F.col("median"), dimension=F.when(shortest, F.lit(ALL)), period=F.col("end")),
    )
    newest = rows.groupBy("window_duration_minutes").agg(F.max("end").alias("end"), F.max("now").alias("now"))
    lag = (F.col("now") - F.col("end")) / 60.0
    beyond = F.greatest(lag - F.col("window_duration_minutes"), F.lit(0.0))
    return by_end.unionByName(
        figures(
            newest,
            figure("window_lag_minutes", lag, dimension=length),
            figure("minutes_behind_clean", beyond, dimension=length),
        )
    )


_NO_HOUR = dict.fromkeys(("full_dropout_devices", "sensor_availability"), "no full hour has been received yet")

PASSES = (
    Pass(("rows_of_expected",), ("raw_sensor_readings", "device_registry"), _raw),
    Pass(("minutes_behind_raw",), ("clean_sensor_readings", "raw_sensor_readings"), _behind),
    Pass(
        ("range_violation_share", "clock_drift_share", "sensor_null_share"),
        ("clean_sensor_readings", "device_registry"),
        _clean,
    ),
    Pass(
        ("dead_letter_share", "quarantine_share", "duplicate_share"),
        ("row_conservation", "raw_sensor_readings"),
        _files,
    ),
    Pass(
        ("clean_share", "rows_unaccounted", "stuck_devices", "gap_share", "flag_share"),
        ("data_quality_daily_summary",),
        _days,
    ),
    Pass(
        ("full_dropout_devices", "sensor_availability"),
        ("device_dropout_flags", "device_registry"),
        _dropouts,
        quiet=_NO_HOUR,
    ),
    Pass(
        ("window_coverage", "median_completeness", "window_lag_minutes", "minutes_behind_clean"),
        ("device_features", "clean_sensor_readings", "device_registry"),
        _windows,
    ),
)
