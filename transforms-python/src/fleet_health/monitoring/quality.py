"""``data_quality_daily_summary``: what a day of readings was like.

Spark counts by day, in one pass over each dataset; the cells of the summary are made of those counts in Python.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.clean import CLEAN_FLAGS
from fleet_health.contracts.conform import frame_of
from fleet_health.contracts.monitoring import SUMMARY_SCHEMA
from fleet_health.features.lateness import Length
from fleet_health.features.readings import received_micros
from fleet_health.features.runs import counts_in_windows
from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.measured import DAY, ratio, rows_of
from fleet_health.profiles.model import Profile

STUCK_WINDOWS = 4
STUCK_READINGS = 10
STUCK_DEVIATION = 1e-9
_BITS = 60
_EPOCH = dt.datetime(1970, 1, 1)  # noqa: DTZ001 - naive is UTC in a session whose zone is UTC
Cell = tuple[int, str, str, str, float | None, int | None]
"""Start of the day, metric, dimension, part, value, rows behind it."""


def daily_summary(frames: Mapping[str, DataFrame], profile: Profile) -> DataFrame:
    """The rows of contract M2.

    Args:
        frames: ``raw_sensor_readings``, ``clean_sensor_readings``, ``row_conservation``, ``device_features``,
            ``device_registry`` and ``device_dropout_flags``.
        profile: the fleet.

    Returns:
        counts by UTC day of receipt. What cleansing removed has no receipt time of its own and counts on the day of
        the newest reading of its file.
    """
    cells = [
        *_of_clean(frames["clean_sensor_readings"], frames["device_registry"], profile),
        *_of_files(frames["raw_sensor_readings"], frames["row_conservation"]),
        *of_windows(frames["device_features"], profile),
        *_of_dropouts(frames["device_dropout_flags"]),
    ]
    raw = frames["raw_sensor_readings"]
    # an aggregate of all rows has one row
    newest = raw.agg(F.max("timestamp_ingested")).collect()[0][0] or _EPOCH
    rows = [
        ((_EPOCH + dt.timedelta(seconds=day)).date(), metric, dimension, part, float(value), behind, newest)
        for day, metric, dimension, part, value, behind in cells
        if value is not None
    ]
    return frame_of(raw.sparkSession, rows, SUMMARY_SCHEMA)


def _of_clean(clean: DataFrame, registry: DataFrame, profile: Profile) -> Iterator[Cell]:
    known = F.broadcast(registry.select("device_id", "expected_sensors"))
    told = [
        "count(1) AS n",
        *(f"count_if(array_contains(quality_flags, '{flag}')) AS `{flag}`" for flag in CLEAN_FLAGS),
    ]
    for s in profile.sensor_names:
        due = f"coalesce(array_contains(expected_sensors, '{s}'), true)"
        told += [f"count_if({due}) AS due_{s}", f"count_if({due} AND `{s}` IS NULL) AS null_{s}"]
    days = clean.join(known, "device_id", "left").groupBy(_day_of("timestamp_ingested"))
    late = F.count(F.when(_late(profile), 1)).alias("late")
    for row in rows_of(days.agg(*map(F.expr, told), late), "*"):
        day, n = row["day"], row["n"]
        yield day, "readings_clean", ALL, ALL, n, None
        yield day, "late_reading_count", ALL, ALL, row["late"], None
        for flag in CLEAN_FLAGS:
            yield day, "flag_rate", "quality_flag", flag, row[flag] / n, n
        for s in profile.sensor_names:
            due_rows = row[f"due_{s}"]
            yield day, "sensor_null_rate", "sensor", s, ratio(row[f"null_{s}"], due_rows), due_rows


def _late(profile: Profile) -> Column:
    """Whether a reading was received after its window of the shortest length was first written.

    Such windows are never written again, so this count is all that is seen of it there.
    """
    first = Length.of(min(profile.windows_minutes), profile).first_column(F.unix_micros("timestamp_utc"))
    return counts_in_windows(profile) & (received_micros() > first)


def files_by_time(raw: DataFrame, conservation: DataFrame) -> DataFrame:
    """Per file: ``newest`` receipt time, ``raw`` rows that are there, and lines by outcome as cleansing counted them.

    Two independent counts of the same rows; ``clean`` includes what quarantine released, ``empty`` are dead letters of
    rows that could be read, ``repeated`` are rows of raw and no lines that were merged before it.
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
        "repeated": "reason = 'DUPLICATE_EVENT_ID'",
        "empty": "reason = 'ALL_SENSORS_NULL'",
    }
    sums = [F.expr(f"sum(rows) FILTER (WHERE {which}) AS {name}") for name, which in told.items()]
    files = lines.groupBy("source_file").agg(F.max("received").alias("newest"), *sums)
    # a file that nothing is left of, or that was not counted yet, tells nothing
    return files.where("raw IS NOT NULL AND lines IS NOT NULL").fillna(0, list(told))


def _of_files(raw: DataFrame, conservation: DataFrame) -> Iterator[Cell]:
    names = ("lines", "raw", "clean", "quarantined", "dead", "repeated", "empty")
    days = files_by_time(raw, conservation).groupBy(_day_of("newest"))
    for row in rows_of(days.agg(*(F.expr(f"sum({name}) AS {name}") for name in names)), "*"):
        day, there, lines = row["day"], row["raw"], row["lines"]
        yield day, "readings_total", ALL, ALL, there, None
        yield day, "readings_quarantined", ALL, ALL, row["quarantined"], None
        yield day, "readings_dead_letter", ALL, ALL, row["dead"], None
        yield day, "duplicates_removed", ALL, ALL, row["repeated"], None
        yield day, "quarantine_rate", ALL, ALL, ratio(row["quarantined"], there), there
        yield day, "dead_letter_rate", ALL, ALL, ratio(row["dead"], lines), lines
        yield day, "readings_dead_letter", "reason", "ALL_SENSORS_NULL", row["empty"], None
        yield day, "readings_clean", "source", "files", row["clean"], None


def of_windows(features: DataFrame, profile: Profile) -> Iterator[Cell]:
    """Units with a numeric sensor that stood still for four windows in a row, by their deviations.

    What stands still in a window are bits of a number, some sensors to each, so that a device is walked through once
    and not once for every sensor. A sensor that never varies is a set point or a switch, and no standstill.
    """
    shortest = min(profile.windows_minutes)
    names = [one.name for one in profile.features if one.aggregation == "std"]
    told, stuck = [], ["false"]
    for n, part in enumerate(names[at : at + _BITS] for at in range(0, len(names), _BITS)):
        still = [f"if(`{name}` < {STUCK_DEVIATION}D, {1 << bit}L, 0L)" for bit, name in enumerate(part)]
        moves = [f"if(`{name}` > {STUCK_DEVIATION}D, {1 << bit}L, 0L)" for bit, name in enumerate(part)]
        told += [
            f"if(reading_count >= {STUCK_READINGS}, {' | '.join(still)}, 0L) AS still_{n}",
            f"{' | '.join(moves)} AS moves_{n}",
        ]
        lasting = (
            f"bit_and(still_{n}) OVER (PARTITION BY device_id ORDER BY window_start ROWS {STUCK_WINDOWS - 1} PRECEDING)"
        )
        stuck.append(f"({lasting} & bit_or(moves_{n}) OVER (PARTITION BY device_id)) != 0")
    so_far = f"count(1) OVER (PARTITION BY device_id ORDER BY window_start ROWS {STUCK_WINDOWS - 1} PRECEDING)"
    rows = features.where(f"window_duration_minutes = {shortest}").selectExpr(
        "device_id",
        "window_start",
        f"unix_timestamp(window_end) DIV {DAY} * {DAY} AS day",
        *told,
    )
    marked = rows.selectExpr("device_id", "day", f"({' OR '.join(stuck)}) AND {so_far} = {STUCK_WINDOWS} AS stuck")
    devices = marked.groupBy("day", "device_id").agg(F.expr("bool_or(stuck) AS stuck"))
    for row in rows_of(devices.groupBy("day").agg(F.expr("count_if(stuck) AS stuck")), "*"):
        yield row["day"], "stuck_sensor_devices", ALL, ALL, row["stuck"], None


def _of_dropouts(flags: DataFrame) -> Iterator[Cell]:
    day = F.expr(f"(unix_timestamp(evaluated_hour) - 1) DIV {DAY} * {DAY} AS day")
    kinds = flags.select(day, "dropout_type", "device_id").distinct().groupBy("day", "dropout_type").count()
    for row in rows_of(kinds, "*"):
        yield row["day"], "devices_in_dropout_state", "dropout_type", row["dropout_type"], row["count"], None


def _day_of(time: str) -> Column:
    """The start of the UTC day of a time, seconds since 1970."""
    return F.expr(f"unix_timestamp({time}) DIV {DAY} * {DAY} AS day")
