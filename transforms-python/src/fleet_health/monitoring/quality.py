"""``data_quality_daily_summary`` and ``ingestion_distribution_stats``: what a day of readings was like."""

from __future__ import annotations

import functools
from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from fleet_health.contracts.clean import CLEAN_FLAGS
from fleet_health.contracts.conform import conform
from fleet_health.contracts.monitoring import SENSOR_STATISTICS_SCHEMA, SUMMARY_SCHEMA
from fleet_health.data_time import with_data_time
from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.measured import day_of, share, sliced
from fleet_health.profiles.model import Profile

REFERENCE_DAYS = 30
LEAST_DAYS = 5
STUCK_WINDOWS = 4
STUCK_READINGS = 10
STUCK_DEVIATION = 1e-9
_CELL = "metric_name string, dimension_name string, dimension_value string, value double, denominator long"


def daily_summary(frames: Mapping[str, DataFrame], profile: Profile) -> DataFrame:
    """The rows of contract M2, one pass over each dataset.

    Args:
        frames: ``raw_sensor_readings``, ``clean_sensor_readings``, ``row_conservation``, ``device_features``,
            ``device_registry`` and ``device_dropout_flags``.
        profile: the fleet.

    Returns:
        counts by UTC day of receipt. What cleansing removed has no receipt time of its own and counts on the day of
        the newest reading of its file.
    """
    parts = [
        _of_clean(frames["clean_sensor_readings"], frames["device_registry"], profile),
        _of_files(frames["raw_sensor_readings"], frames["row_conservation"]),
        _of_windows(frames["device_features"], profile),
        _of_dropouts(frames["device_dropout_flags"]),
    ]
    cells = functools.reduce(DataFrame.unionByName, parts)
    dated = cells.withColumn("summary_date", F.to_date(F.timestamp_seconds("day")))
    return conform(with_data_time(dated, frames["raw_sensor_readings"], "computed_at"), SUMMARY_SCHEMA)


def _cell(name: str, value: Column, rows: Column | None = None, part: tuple[str, Column] | None = None) -> Column:
    dimension, word = part if part else (ALL, F.lit(ALL))
    return F.struct(
        F.lit(name).alias("metric_name"),
        F.lit(dimension).alias("dimension_name"),
        word.cast("string").alias("dimension_value"),
        value.cast("double").alias("value"),
        (F.lit(None) if rows is None else rows).cast("long").alias("denominator"),
    )


def _cells(days: DataFrame, *made: Column) -> DataFrame:
    told = days.select("day", F.explode(F.array(*made)).alias("cell")).select("day", "cell.*")
    return told.where(F.col("value").isNotNull())


def _of_clean(clean: DataFrame, registry: DataFrame, profile: Profile) -> DataFrame:
    known = F.broadcast(registry.select("device_id", "expected_sensors"))
    rows = clean.join(known, "device_id", "left").withColumn("day", day_of("timestamp_ingested"))
    n = F.count(F.lit(1)).alias("n")
    flags = [F.count(F.when(F.array_contains("quality_flags", flag), 1)).alias(f"flag_{flag}") for flag in CLEAN_FLAGS]
    due = {s: F.coalesce(F.array_contains("expected_sensors", s), F.lit(True)) for s in profile.sensor_names}
    sensors = [
        one
        for s in profile.sensor_names
        for one in (
            F.count(F.when(due[s], 1)).alias(f"due_{s}"),
            F.count(F.when(due[s] & F.col(s).isNull(), 1)).alias(f"null_{s}"),
        )
    ]
    days = rows.groupBy("day").agg(n, *flags, *sensors)
    return _cells(
        days,
        _cell("readings_clean", F.col("n")),
        *(
            _cell("flag_rate", F.col(f"flag_{flag}") / F.col("n"), F.col("n"), ("quality_flag", F.lit(flag)))
            for flag in CLEAN_FLAGS
        ),
        *(
            _cell(
                "sensor_null_rate",
                share(F.col(f"null_{s}"), F.col(f"due_{s}")),
                F.col(f"due_{s}"),
                ("sensor", F.lit(s)),
            )
            for s in profile.sensor_names
        ),
    )


def files_by_time(raw: DataFrame, conservation: DataFrame) -> DataFrame:
    """Per file: ``newest`` receipt time, ``raw`` rows that are there, and lines by outcome as cleansing counted them.

    Two independent counts of the same rows; ``clean`` includes what quarantine released, ``empty`` are dead letters of
    rows that could be read.
    """

    fate = "source_file", "outcome", "reason", "rows", "CAST(NULL AS timestamp) AS received"
    read = "source_file", "'RAW' AS outcome", "'' AS reason", "1L AS rows", "timestamp_ingested AS received"
    lines = conservation.selectExpr(*fate).unionAll(raw.selectExpr(*read))
    told = {
        "lines": "outcome != 'RAW'",
        "raw": "outcome = 'RAW'",
        "clean": "outcome IN ('CLEAN', 'RELEASED')",
        "quarantined": "outcome = 'QUARANTINE'",
        "dead": "outcome = 'DEAD_LETTER'",
        "repeated": "outcome = 'DUPLICATE'",
        "empty": "reason = 'ALL_SENSORS_NULL'",
    }
    sums = [F.expr(f"sum(rows) FILTER (WHERE {which}) AS {name}") for name, which in told.items()]
    files = lines.groupBy("source_file").agg(F.max("received").alias("newest"), *sums)
    # a file that nothing is left of, or that was not counted yet, tells nothing
    return files.where("raw IS NOT NULL AND lines IS NOT NULL").fillna(0, list(told))


def _of_files(raw: DataFrame, conservation: DataFrame) -> DataFrame:
    files = files_by_time(raw, conservation).withColumn("day", day_of("newest"))
    names = ("lines", "raw", "clean", "quarantined", "dead", "repeated", "empty")
    days = files.groupBy("day").agg(*(F.sum(name).alias(name) for name in names))
    col = F.col
    return _cells(
        days,
        _cell("readings_total", col("raw")),
        _cell("readings_quarantined", col("quarantined")),
        _cell("readings_dead_letter", col("dead")),
        _cell("duplicates_removed", col("repeated")),
        _cell("quarantine_rate", share(col("quarantined"), col("raw")), col("raw")),
        _cell("dead_letter_rate", share(col("dead"), col("lines")), col("lines")),
        _cell("readings_dead_letter", col("empty"), None, ("reason", F.lit("ALL_SENSORS_NULL"))),
        _cell("readings_clean", col("clean"), None, ("source", F.lit("files"))),
    )


def _of_windows(features: DataFrame, profile: Profile) -> DataFrame:
    """Units with a numeric sensor that stood still for four windows in a row, by their deviations.

    Windows that were corrected by late readings are told by their knowledge time being more than the pipeline's budget
    behind their end, which is what ``late_reading_count`` counts.
    """
    deviations = [one.name for one in profile.features if one.aggregation == "std"]
    shortest = min(profile.windows_minutes)
    rows = features.where(F.col("window_duration_minutes") == shortest).withColumn("day", day_of("window_end"))
    in_order = Window.partitionBy("device_id").orderBy("window_start").rowsBetween(1 - STUCK_WINDOWS, 0)
    still = [(F.col(name) < STUCK_DEVIATION) & (F.col("reading_count") >= STUCK_READINGS) for name in deviations]
    # a sensor that never varies is a set point or a switch, and no standstill
    varies = [F.max(name).over(Window.partitionBy("device_id")) > STUCK_DEVIATION for name in deviations]
    stuck = [
        (F.sum(F.coalesce(one, F.lit(False)).cast("int")).over(in_order) == STUCK_WINDOWS) & moves
        for one, moves in zip(still, varies, strict=True)
    ]
    late_after = profile.lateness_of(shortest).close_after.minutes * 60
    late = (F.unix_timestamp("computed_at") - F.unix_timestamp("window_end")) > late_after
    marked = rows.select(
        "device_id", "day", late.alias("late"), F.array_max(F.array(F.lit(False), *stuck)).alias("stuck")
    )
    days = marked.groupBy("day").agg(
        F.countDistinct(F.when(F.col("stuck"), F.col("device_id"))).alias("stuck"),
        F.count(F.when(F.col("late"), 1)).alias("late"),
    )
    return _cells(days, _cell("stuck_sensor_devices", F.col("stuck")), _cell("late_reading_count", F.col("late")))


def _of_dropouts(flags: DataFrame) -> DataFrame:
    days = flags.withColumn("day", F.floor((F.unix_timestamp("evaluated_hour") - 1) / 86_400) * 86_400)
    kinds = days.groupBy("day", "dropout_type").agg(F.countDistinct("device_id").alias("n"))
    return _cells(kinds, _cell("devices_in_dropout_state", F.col("n"), None, ("dropout_type", F.col("dropout_type"))))


def sensor_statistics(clean: DataFrame, registry: DataFrame, profile: Profile) -> DataFrame:
    """The rows of contract M12: numeric sensors by day of receipt, for the fleet, each region and each firmware."""
    numeric = [one.name for one in profile.sensors if one.type == "double"]
    named = F.broadcast(registry.select("device_id", "region", "firmware_version"))
    rows = clean.join(named, "device_id", "left").withColumn("day", day_of("timestamp_ingested"))
    told = [
        one
        for s in numeric
        for one in (
            F.avg(s).alias(f"{s}_mean"),
            F.stddev(s).alias(f"{s}_std"),
            F.percentile_approx(s, [0.05, 0.5, 0.95, 0.99]).alias(f"{s}_p"),
        )
    ]
    cut = sliced(rows, ("region", "firmware_version")).groupBy("day", "slice_name", "slice_value").agg(*told)
    sensors = [
        F.struct(
            F.lit(s).alias("sensor_name"),
            F.col(f"{s}_mean").alias("mean"),
            F.col(f"{s}_std").alias("std"),
            *(F.col(f"{s}_p")[place].alias(name) for place, name in enumerate(("p05", "p50", "p95", "p99"))),
        )
        for s in numeric
    ]
    flat = cut.select("day", "slice_name", "slice_value", F.explode(F.array(*sensors)).alias("s")).select(
        "day", "slice_name", "slice_value", "s.*"
    )
    before = (
        Window.partitionBy("sensor_name", "slice_name", "slice_value").orderBy("day").rowsBetween(-REFERENCE_DAYS, -1)
    )
    enough = F.count("mean").over(before) >= LEAST_DAYS
    with_reference = flat.withColumns(
        {
            "period_start": F.timestamp_seconds("day"),
            "baseline_mean": F.when(enough, F.avg("mean").over(before)),
            "baseline_std": F.when(enough, F.stddev("mean").over(before)),
            "baseline_p99": F.when(enough, F.avg("p99").over(before)),
        }
    )
    sigma = F.when(F.col("baseline_std") > 0, (F.col("mean") - F.col("baseline_mean")) / F.col("baseline_std"))
    shifted = F.coalesce(F.abs(F.col("deviation_sigma")) > 2.0, F.lit(False)) | F.coalesce(
        F.col("p95") > F.col("baseline_p99"), F.lit(False)
    )
    return conform(
        with_reference.withColumn("deviation_sigma", sigma).withColumn("shift_detected", shifted),
        SENSOR_STATISTICS_SCHEMA,
    )
