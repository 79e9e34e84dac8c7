"""``feature_runs``: what each run of the window job found and wrote, and where the next one goes on.

The newest watermark of earlier runs is all that a run needs to know of the past, so that it reads no history.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from fleet_health.contracts.clean import CLOCK_DRIFT
from fleet_health.contracts.conform import conform
from fleet_health.contracts.features import RUNS_SCHEMA
from fleet_health.features.lateness import Due, lengths
from fleet_health.features.readings import received_micros
from fleet_health.profiles.model import Profile


@dataclass(frozen=True)
class Landing:
    """What landed since the last run, measured in one pass over those rows alone.

    Attributes:
        watermark: newest receipt time so far, in microseconds; ``None`` while nothing was ever received.
        readings: how many landed.
        late: per length, readings received after their window was first written and within its horizon.
        too_late: per length, readings received after the horizon; no version ever holds them.
        landed_late: per length, whether a reading belongs to a version that an earlier run may have written.
        late_days: UTC days (numbers since 1970) of the readings behind ``landed_late``.
    """

    watermark: int | None
    readings: int
    late: dict[int, int]
    too_late: dict[int, int]
    landed_late: dict[int, bool]
    late_days: tuple[int, ...]


def previous_watermark(runs: DataFrame) -> int | None:
    """The newest watermark of earlier ``feature_runs``, in microseconds."""
    row = runs.agg(F.max(F.unix_micros("watermark"))).first()
    return None if row is None else row[0]


def measure(added: DataFrame, profile: Profile, before: int | None) -> Landing:
    """Looks once at the rows that landed.

    Args:
        added: new rows of ``clean_sensor_readings``; the watermark counts all of them.
        profile: window lengths, their lateness, and whether rows with a drifting clock count.
        before: the watermark that earlier runs had reached.
    """
    micros, received = F.unix_micros("timestamp_utc"), received_micros()
    counted = counts_in_windows(profile)
    wanted = [F.max(received).alias("watermark"), F.count(F.when(counted, 1)).alias("readings")]
    already: Column = F.lit(False)
    for length in lengths(profile):
        first = length.first_column(micros)
        horizon = first + F.lit(length.horizon)
        late = counted & (received > first)
        wanted.append(F.count(F.when(late & (received <= horizon), 1)).alias(f"late_{length.minutes}"))
        wanted.append(F.count(F.when(late & (received > horizon), 1)).alias(f"too_late_{length.minutes}"))
        stale: Column = F.lit(False)
        if before is not None:
            stale = counted & (length.version_column(micros, received) <= F.lit(length.boundary(before)))
        wanted.append(F.count(F.when(stale, 1)).alias(f"stale_{length.minutes}"))
        already = already | F.coalesce(stale, F.lit(False))
    wanted.append(F.collect_set(F.when(already, F.datediff("timestamp_utc", F.lit("1970-01-01")))).alias("days"))
    # one row of counts
    row = added.agg(*wanted).collect()[0]
    stamps = [stamp for stamp in (before, row["watermark"]) if stamp is not None]
    minutes = profile.windows_minutes
    return Landing(
        watermark=max(stamps, default=None),
        readings=row["readings"],
        late={length: row[f"late_{length}"] for length in minutes},
        too_late={length: row[f"too_late_{length}"] for length in minutes},
        landed_late={length: row[f"stale_{length}"] > 0 for length in minutes},
        late_days=tuple(sorted(row["days"])),
    )


def run_rows(session: SparkSession, written: DataFrame, dues: Sequence[Due], landing: Landing) -> DataFrame:
    """``feature_runs`` of one run: a row per window length.

    Args:
        session: makes the frame.
        written: the rows of ``feature_versions`` that the run wrote.
        dues: what was due.
        landing: what had landed.
    """
    first: Column = F.lit(False)
    for due in dues:
        closed = F.unix_micros("window_end") + F.lit(due.length.close) > F.lit(due.before)
        first = first | ((F.col("window_duration_minutes") == due.length.minutes) & closed)
    counted = {
        row["window_duration_minutes"]: row
        for row in written.groupBy("window_duration_minutes")
        .agg(
            F.count(F.lit(1)).alias("versions"),
            F.count_distinct(F.when(first, F.struct("device_id", "window_start"))).alias("windows"),
        )
        # one row per window length
        .collect()
    }
    rows = []
    for due in dues:
        minutes = due.length.minutes
        windows, versions = (counted[minutes][name] if minutes in counted else 0 for name in ("windows", "versions"))
        late = (landing.late[minutes], landing.too_late[minutes])
        rows.append((landing.watermark, minutes, landing.readings, windows, versions - windows, *late))
    names = RUNS_SCHEMA.fieldNames()
    made = session.createDataFrame(rows, ", ".join(f"{name} long" for name in names))
    return conform(made.withColumn("watermark", F.timestamp_micros("watermark")), RUNS_SCHEMA)


def counts_in_windows(profile: Profile) -> Column:
    """Whether a row of ``clean_sensor_readings`` may be in a window at all."""
    if profile.exclude_clock_drift is None or not profile.exclude_clock_drift.value:
        return F.lit(True)

    return ~F.array_contains("quality_flags", CLOCK_DRIFT)
