"""Cleansing: raw rows to verdicts. Every raw row leaves with exactly one outcome and the reason for it.

The order is the contract's: NaN to null, duplicates, registry, clock, all-null rows, impossible rows, ranges, gaps,
counts. An unknown device wins over an all-null row, so that registering the device later can release it.

A sensor of a device whose ``expected_sensors`` are unknown is never a gap: what the device reported in the days before
depends on what had arrived by then, and the same files must give the same flags in whatever builds they are judged.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from fleet_health.contracts import clean as contract
from fleet_health.contracts.raw import LINE_FILES, line_columns
from fleet_health.profiles.model import Condition, Profile, Sensor

_EPOCH = date(1970, 1, 1)
_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
}


def judge(raw: DataFrame, registry: DataFrame, profile: Profile, seen: DataFrame | None = None) -> DataFrame:
    """Every raw row with its verdict.

    Args:
        raw: rows of ``raw_sensor_readings``.
        registry: ``device_registry``; one row per device.
        profile: sensors, ranges and rules.
        seen: distinct ``event_id`` that earlier builds wrote; see :mod:`~fleet_health.ingestion.look_back`.

    Returns:
        the columns of ``clean_sensor_readings`` plus ``_partition_key``, ``_sequence_number``, ``sensors_absent`` (of
        unknown devices: null in raw and not unreadable), ``known_at`` (newest receipt in the file; a file's rows become
        known together, in whatever build that is), ``outcome`` (one of
        :data:`~fleet_health.contracts.clean.OUTCOMES`), ``reason`` (null when clean) and ``rule`` (id in the profile,
        of an unknown device too, so that a release knows it); where narrow lines are merged,
        :func:`~fleet_health.contracts.raw.line_columns` too.
    """
    rows = _without_nan(raw, profile)
    rows = ranked_copies(rows)
    if seen is None:
        rows = rows.withColumn("_seen", F.lit(False))
    else:
        rows = rows.join(seen.select("event_id", F.lit(True).alias("_seen")), "event_id", "left")
    # a row of no file is a row all the same; the ledger refuses it by name
    times = file_times(raw).withColumnRenamed("source_file", "_file")
    rows = rows.join(F.broadcast(times), F.col("source_file").eqNullSafe(F.col("_file")))
    # asked once per device, not once per row
    due = {_due(name): F.array_contains("expected_sensors", name) for name in profile.sensor_names}
    known = registry.select("device_id", F.lit(True).alias("_known"), *(c.alias(name) for name, c in due.items()))
    rows = rows.join(F.broadcast(known), "device_id", "left")
    drifted = _clock_drift(profile)
    time = reading_time(profile)
    absent = {name: _absent(name) for name in profile.sensor_names}
    flags = {
        contract.RANGE_VIOLATION: _any(_out_of_range(s, profile) for s in profile.sensors if s.type == "double"),
        contract.SUSPECT_VALUE: _any(_suspect(s, profile) for s in profile.sensors if s.type == "double"),
        contract.CLOCK_DRIFT: drifted,
        contract.DUPLICATE_REMOVED: _told_again(profile),
        contract.SENSOR_GAP: _any(_gap(name, column) for name, column in absent.items()),
        contract.UNREADABLE_VALUE: F.size("unreadable") > 0,
    }
    rule = _impossible_rule(profile)
    reason = (
        F.when((F.col("_copy") > 1) | F.coalesce("_seen", F.lit(False)), contract.DUPLICATE_EVENT_ID)
        .when(F.col("_known").isNull(), contract.DEVICE_UNKNOWN)
        .when(_all_null(profile), contract.ALL_SENSORS_NULL)
        .when(rule.isNotNull(), contract.IMPOSSIBLE_ROW)
    )
    outcome = (
        F.when(reason.isNull(), "CLEAN")
        .when(reason == contract.DUPLICATE_EVENT_ID, contract.DUPLICATE)
        .when(reason == contract.ALL_SENSORS_NULL, "DEAD_LETTER")
        .otherwise("QUARANTINE")
    )
    kept = {s.name: _kept_value(s, profile) for s in profile.sensors}
    nulls: Column = functools.reduce(operator.add, (value.isNull().cast("int") for value in kept.values()))
    return rows.select(
        "event_id",
        "device_id",
        time.alias("timestamp_utc"),
        *(value.alias(name) for name, value in kept.items()),
        _set({**flags, **_held_back(reason)}).alias("quality_flags"),
        nulls.alias("sensor_null_count"),
        "timestamp_ingested",
        "source_file",
        "line_number",
        utc_day(time).alias("date"),
        "_partition_key",
        "_sequence_number",
        F.when(reason == contract.DEVICE_UNKNOWN, _set(absent)).alias("sensors_absent"),
        "known_at",
        outcome.alias("outcome"),
        reason.alias("reason"),
        F.when(reason.isin(*contract.QUARANTINE_REASONS), rule).alias("rule"),
        *line_columns(profile),
    )


def file_times(raw: DataFrame) -> DataFrame:
    """``source_file, known_at``: the newest receipt time among the rows of each file, and of those it gave lines to."""
    if set(LINE_FILES) <= set(raw.columns):
        files = F.array_distinct(F.concat(F.array("source_file"), *LINE_FILES))
        raw = raw.select(F.explode(files).alias("source_file"), "timestamp_ingested")
    return raw.groupBy("source_file").agg(F.max("timestamp_ingested").alias("known_at"))


def reading_time(profile: Profile) -> Column:
    """``timestamp_utc`` of a raw row: the device's clock, or the receipt time where that clock is wrong."""
    return F.when(_clock_drift(profile), F.col("timestamp_ingested")).otherwise(F.col("timestamp_device"))


def utc_day(time: Column) -> Column:
    """The UTC day of an instant, whatever the zone of the session."""
    return F.date_from_unix_date(F.floor(F.unix_micros(time) / F.lit(86_400_000_000)).cast("int"))


def utc_midnight(day: date) -> Column:
    """The first instant of a UTC day, whatever the zone of the session; Parquet leaves out row groups by it."""
    return F.timestamp_seconds(F.lit((day - _EPOCH) // timedelta(seconds=1)))


def _without_nan(raw: DataFrame, profile: Profile) -> DataFrame:
    numeric = [s.name for s in profile.sensors if s.type == "double"]
    return raw.withColumns({name: F.when(~F.isnan(name), F.col(name)) for name in numeric})


def ranked_copies(rows: DataFrame) -> DataFrame:
    """``_copy`` is 1 for the row that survives: lowest sequence number, then receipt time, then a hash of the row.

    ``_followed`` says that another copy comes after it. Both ride on one sort.
    """
    content = F.xxhash64(*(F.col(name) for name in rows.columns if name not in ("source_file", "line_number")))
    order = Window.partitionBy("event_id").orderBy(
        "_sequence_number", "timestamp_ingested", content, "source_file", "line_number"
    )
    followed = F.lead("event_id").over(order).isNotNull()
    return rows.withColumns({"_copy": F.row_number().over(order), "_followed": followed})


def _told_again(profile: Profile) -> Column:
    again = F.col("_followed")
    return again if profile.source.merge is None else again | (F.col("repeated_lines") > 0)


def _clock_drift(profile: Profile) -> Column:
    ahead = F.unix_micros("timestamp_device") - F.unix_micros("timestamp_ingested")
    rules = profile.cleansing
    wrong = F.abs(ahead) > F.lit(round(rules.max_clock_drift_hours * 3_600_000_000))
    if rules.future_tolerance_minutes is None:
        return wrong
    return wrong | (ahead > F.lit(round(rules.future_tolerance_minutes.value * 60_000_000)))


def _range(sensor: Sensor, profile: Profile) -> tuple[Column, Column]:
    """The least and the greatest possible value on the row's device."""
    low, high = F.lit(sensor.min), F.lit(sensor.max)
    for device in profile.registry.devices:
        for own in device.ranges:
            if own.sensor == sensor.name:
                here = F.col("device_id") == device.device_id
                low = low if own.min is None else F.when(here, F.lit(own.min)).otherwise(low)
                high = high if own.max is None else F.when(here, F.lit(own.max)).otherwise(high)
    return low, high


def _out_of_range(sensor: Sensor, profile: Profile) -> Column:
    value, (low, high) = F.col(sensor.name), _range(sensor, profile)
    return F.coalesce((value < low) | (value > high), F.lit(False))


def _suspect(sensor: Sensor, profile: Profile) -> Column:
    value, (low, high) = F.col(sensor.name), _range(sensor, profile)
    limits = []
    if sensor.suspect_below is not None:
        limits.append((value < F.lit(sensor.suspect_below)) & (value >= low))
    if sensor.suspect_above is not None:
        limits.append((value > F.lit(sensor.suspect_above)) & (value <= high))
    return F.coalesce(_any(limits), F.lit(False))


def _kept_value(sensor: Sensor, profile: Profile) -> Column:
    value = F.col(sensor.name)
    return value if sensor.type == "boolean" else F.when(~_out_of_range(sensor, profile), value)


def _gap(sensor: str, absent: Column) -> Column:
    """Expected by the registry, null in raw, and not because its cell was unreadable (that has its own flag)."""
    return absent & F.coalesce(_due(sensor), F.lit(False))


def _absent(sensor: str) -> Column:
    return F.col(sensor).isNull() & ~F.coalesce(F.array_contains("unreadable", sensor), F.lit(False))


def _due(sensor: str) -> str:
    return f"_due_{sensor}"


def _all_null(profile: Profile) -> Column:
    return functools.reduce(operator.and_, (F.col(name).isNull() for name in profile.sensor_names))


def _impossible_rule(profile: Profile) -> Column:
    """The id of the first rule of the profile that holds, else null. A null sensor makes its condition false."""
    chosen = F.lit(None).cast("string")
    for rule in reversed(profile.cleansing.impossible_rows):
        holds = functools.reduce(operator.and_, (_condition(condition) for condition in rule.all_of))
        chosen = F.when(holds, F.lit(rule.id)).otherwise(chosen)
    return chosen


def _condition(condition: Condition) -> Column:
    holds: Column = _COMPARE[condition.op](F.col(condition.sensor), F.lit(condition.value))
    return F.coalesce(holds, F.lit(False))


def _held_back(reason: Column) -> dict[str, Column]:
    """A quarantined row carries the reason among its flags, so that it survives every later copy."""
    return {name: F.coalesce(reason == name, F.lit(False)) for name in contract.QUARANTINE_REASONS}


def _set(flags: Mapping[str, Column]) -> Column:
    """The names that hold, in alphabetical order; an empty array when none does.

    The order is fixed in the plan and nulls fall out as a set difference: sorting and filtering arrays row by row runs
    lambdas outside generated code, which took half of the time of cleansing.
    """
    told = [F.when(flags[name], F.lit(name)) for name in sorted(flags)]
    return F.array_except(F.array(*told), F.array(F.lit(None).cast("string")))


def _any(conditions: Any) -> Column:
    return functools.reduce(operator.or_, conditions, F.lit(False))
