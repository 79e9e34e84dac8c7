"""Figures of readings and windows: how many, how old, how empty, how odd."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from pyspark.sql import functions as F

from fleet_health.contracts.clean import CLEAN_FLAGS, CLOCK_DRIFT, RANGE_VIOLATION, SENSOR_GAP
from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.measured import DAY, HOUR, Pass, Told, Watched, figure, ratio, rows_of
from fleet_health.monitoring.quality import files_by_time

HOURS = 3
"""Full hours of raw rows that are looked at: high volume must last as many."""
WEEK_HOURS = 168
ENDS = 2
"""Windows of each length that are looked at, counted back from the newest: low coverage must last as many."""
_RECEIVED = "timestamp_ingested"
_CELLS = (
    "readings_total",
    "readings_clean",
    "readings_quarantined",
    "readings_dead_letter",
    "duplicates_removed",
    "stuck_sensor_devices",
    "flag_rate",
)


def _raw(watched: Watched) -> Iterator[Told]:
    """Rows of active devices in each of the last full hours, over what the registry expects of them."""
    newest = watched.newest("raw_sensor_readings", _RECEIVED)
    if newest is None:
        return
    now, (_, expected) = newest // 1_000_000 // HOUR * HOUR, watched.units
    inside = f"{_RECEIVED} >= timestamp_seconds({now - HOURS * HOUR}) AND {_RECEIVED} < timestamp_seconds({now})"
    known = F.broadcast(watched.active().select("device_id"))
    arrived = watched["raw_sensor_readings"].where(inside).join(known, "device_id")
    hours = arrived.groupBy(F.expr(f"unix_timestamp({_RECEIVED}) DIV {HOUR} * {HOUR} AS hour")).count()
    counts = {row["hour"]: row["count"] for row in rows_of(hours, "hour", "count")}
    for back in range(1, HOURS + 1):
        hour = now - back * HOUR
        yield figure("rows_of_expected", ratio(counts.get(hour, 0), expected), period=hour)


def _behind(watched: Watched) -> Iterator[Told]:
    """Newest receipt time of raw minus newest of clean, in minutes."""
    raw, clean = (watched.newest(name, _RECEIVED) for name in ("raw_sensor_readings", "clean_sensor_readings"))
    yield figure("minutes_behind_raw", None if raw is None or clean is None else (raw - clean) / 60_000_000.0)


def _clean(watched: Watched) -> Iterator[Told]:
    """By hour of receipt over a week: null share of each sensor among devices that should report it, and two flags."""
    known = F.broadcast(watched["device_registry"].select("device_id", "expected_sensors"))
    rows = watched.recent("clean_sensor_readings", _RECEIVED, WEEK_HOURS * HOUR).join(known, "device_id")
    sensors, flags = watched.profile.sensor_names, (RANGE_VIOLATION, CLOCK_DRIFT)
    told = ["count(1) AS n", *(f"count_if(array_contains(quality_flags, '{flag}')) AS {flag}" for flag in flags)]
    for s in sensors:
        due = f"coalesce(array_contains(expected_sensors, '{s}'), true)"
        told += [f"count_if({due}) AS due_{s}", f"count_if({due} AND `{s}` IS NULL) AS null_{s}"]
    hours = rows.groupBy(F.expr(f"unix_timestamp({_RECEIVED}) DIV {HOUR} * {HOUR} AS hour"))
    for row in rows_of(hours.agg(*map(F.expr, told)), "*"):
        hour, n = row["hour"], row["n"]
        yield figure("range_violation_share", row[RANGE_VIOLATION] / n, period=hour)
        yield figure("clock_drift_share", row[CLOCK_DRIFT] / n, period=hour)
        for s in sensors:
            if row[f"due_{s}"]:  # a sensor that no device should report has no figure
                yield figure("sensor_null_share", row[f"null_{s}"] / row[f"due_{s}"], s, hour)


def _files(watched: Watched) -> Iterator[Told]:
    """By the hour in which a file's newest reading was received, the last week of them: what became of its lines."""
    names = ("lines", "raw", "dead", "quarantined", "repeated")
    files = files_by_time(watched["raw_sensor_readings"], watched["row_conservation"])
    hours = files.groupBy(F.expr(f"unix_timestamp(newest) DIV {HOUR} * {HOUR} AS hour"))
    summed = hours.agg(*(F.expr(f"sum({name}) AS {name}") for name in names))
    for row in rows_of(summed.orderBy(F.desc("hour")).limit(WEEK_HOURS), "*"):
        hour = row["hour"]
        yield figure("dead_letter_share", ratio(row["dead"], row["lines"]), period=hour)
        yield figure("quarantine_share", ratio(row["quarantined"], row["raw"]), period=hour)
        yield figure("duplicate_share", ratio(row["repeated"], row["raw"]), period=hour)


def _days(watched: Watched) -> Iterator[Told]:
    """By day: whether every raw row is somewhere, and what share of the rows carries each flag."""
    told = ("unix_timestamp(summary_date) AS day", "metric_name", "dimension_value", "value")
    days: dict[int, dict[tuple[str, str], float]] = defaultdict(dict)
    for row in rows_of(watched["data_quality_daily_summary"].where(f"metric_name IN {_CELLS}"), *told):
        days[row["day"]][row["metric_name"], row["dimension_value"]] = row["value"] or 0.0
    for day, cells in days.items():
        raw, clean = cells.get(("readings_total", ALL), 0.0), cells.get(("readings_clean", "files"), 0.0)
        elsewhere = (
            cells.get(("readings_quarantined", ALL), 0.0)
            + cells.get(("readings_dead_letter", "ALL_SENSORS_NULL"), 0.0)
            + cells.get(("duplicates_removed", ALL), 0.0)
        )
        yield figure("clean_share", ratio(clean, max(raw - elsewhere, 0.0)), period=day)
        yield figure("rows_unaccounted", raw - clean - elsewhere, period=day)
        yield figure("stuck_devices", cells.get(("stuck_sensor_devices", ALL), 0.0), period=day)
        for flag in CLEAN_FLAGS:
            share = cells.get(("flag_rate", flag), 0.0)
            gap = flag == SENSOR_GAP
            yield figure("gap_share" if gap else "flag_share", share, ALL if gap else flag, day)


def _dropouts(watched: Watched) -> Iterator[Told]:
    """Silent devices in the newest hour, and per sensor and day of the last week the devices that sent it."""
    newest = watched.newest("device_dropout_flags", "evaluated_hour")
    if newest is None:
        return
    flags = watched.recent("device_dropout_flags", "evaluated_hour", WEEK_HOURS * HOUR)
    hour = newest // 1_000_000
    silent = flags.where(f"evaluated_hour = timestamp_seconds({hour}) AND dropout_type = 'FULL_DROPOUT'").count()
    yield figure("full_dropout_devices", float(silent), period=hour)
    day = F.expr(f"(unix_timestamp(evaluated_hour) - 1) DIV {DAY} * {DAY} AS day")
    # what a device did not send in any hour of the day; devices that lack the same are counted together
    by_device = (
        flags.where("reading_count > 0").groupBy(day, "device_id").agg(F.collect_set("missing_sensors").alias("hours"))
    )
    never = "aggregate(hours, hours[0], (never, hour) -> array_intersect(never, hour)) AS never"
    known = F.broadcast(watched["device_registry"].select("device_id", "expected_sensors"))
    alike = by_device.selectExpr("day", "device_id", never).join(known, "device_id")
    counts: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0, 0])
    for row in rows_of(alike.groupBy("day", "never", "expected_sensors").count(), "*"):
        for s in watched.profile.sensor_names:
            if row["expected_sensors"] is None or s in row["expected_sensors"]:
                told = counts[row["day"], s]
                told[0] += row["count"]
                told[1] += row["count"] * (s not in row["never"])
    for (at, s), (due, sent) in counts.items():
        yield figure("sensor_availability", sent / due, s, at)


def _windows(watched: Watched) -> Iterator[Told]:
    """Newest windows by length: devices that have one, and how far their end lies behind what was received."""
    windows, received = watched["device_features"], watched.newest("clean_sensor_readings", _RECEIVED)
    lengths = windows.groupBy("window_duration_minutes").agg(F.expr("max(unix_timestamp(window_end)) AS end"))
    newest = {row["window_duration_minutes"]: row["end"] for row in rows_of(lengths, "*")}
    for minutes, end in newest.items():
        lag = None if received is None else (received // 1_000_000 - end) / 60.0
        beyond = None if lag is None else max(lag - minutes, 0.0)
        yield figure("window_lag_minutes", lag, str(minutes))
        yield figure("minutes_behind_clean", beyond, str(minutes))
    if newest:
        yield from _ends(watched, newest)


def _ends(watched: Watched, newest: dict[int, int]) -> Iterator[Told]:
    """Coverage and completeness of the last windows of each length, given the ends of the newest of them."""
    since = {minutes: end - ENDS * minutes * 60 for minutes, end in newest.items()}
    chosen = " OR ".join(
        f"(window_duration_minutes = {minutes} AND window_end > timestamp_seconds({after}))"
        for minutes, after in since.items()
    )
    active = F.broadcast(watched.active().selectExpr("device_id", "true AS active"))
    ends = (
        watched["device_features"]
        .where(chosen)
        .join(active, "device_id", "left")
        .groupBy("window_duration_minutes", "window_end")
        .agg(F.expr("count(active) AS devices"), F.expr("percentile_approx(sensor_completeness, 0.5) AS median"))
    )
    first, last = (min(since.values()) // DAY * DAY, (max(newest.values()) - 1) // DAY * DAY + DAY)
    inside = f"timestamp_utc >= timestamp_seconds({first}) AND timestamp_utc < timestamp_seconds({last})"
    day = F.expr(f"unix_timestamp(timestamp_utc) DIV {DAY} * {DAY} AS day")
    spoke = watched["clean_sensor_readings"].where(inside).join(active, "device_id")
    heard = spoke.select(day, "device_id").distinct().groupBy("day").count()
    eligible = {row["day"]: row["count"] for row in rows_of(heard, "*")}
    told = ("window_duration_minutes AS minutes", "unix_timestamp(window_end) AS end", "devices", "median")
    for row in rows_of(ends, *told):
        end, minutes = row["end"], row["minutes"]
        # a window of a day of which no reading was received has nobody who could be missing
        if known := eligible.get((end - 1) // DAY * DAY):
            yield figure("window_coverage", row["devices"] / known, str(minutes), end)
        if minutes == min(watched.profile.windows_minutes):
            yield figure("median_completeness", row["median"], period=end)


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
