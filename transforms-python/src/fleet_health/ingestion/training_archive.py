"""``training_archive``: raw readings by day of receipt, each message once, added when its day is over.

Always incremental, whatever becomes of raw: raw is cut one day and read anew when its profile says so, and neither may
take from the archive. What it holds stays as it was first read.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.schemas import schema_of, stored_schema
from fleet_health.ingestion.cleansing import ranked_copies, utc_day, utc_midnight
from fleet_health.ingestion.cleansing_transform import FEW_DAYS
from fleet_health.ingestion.look_back import Added, measure, seen_before
from fleet_health.profiles.model import Profile
from fleet_health.profiles.records import Archive
from transforms.api import Input, Output, Transform, incremental, transform

PARTITION = ["date"]
"""UTC day of receipt; no device id, which would make a folder of every device and day."""


def received_from(day: date) -> Column:
    """Whether a raw row was received on a UTC day or later."""
    return F.col("timestamp_ingested") >= utc_midnight(day)


def archived(raw: DataFrame, before: DataFrame, profile: Profile, late_days: int) -> DataFrame | None:
    """What the archive gains; ``None`` while no day has ended since the newest one that it holds.

    Args:
        raw: ``raw_sensor_readings``, all of it; only days of receipt from ``late_days`` before the newest archived one
            are read.
        before: the archive as it is.
        profile: the fleet.
        late_days: how long after its day of receipt a reading may land.

    Returns:
        rows of ended days whose ``event_id`` the archive does not hold within a week around them. Of copies the one
        stays that cleansing keeps.
    """
    # one row: the newest archived day
    newest = before.agg(F.max("date").alias("day")).collect()[0]["day"]
    read = raw if newest is None else raw.where(received_from(newest - timedelta(days=late_days)))
    day = utc_day(F.col("timestamp_ingested"))
    told = measure(read, day)
    over = told.days[:-1]  # the newest receipt is now, so its day still goes on
    if not over or (newest is not None and over[-1] <= newest):
        return None
    ended = read.where(~received_from(told.days[-1]))
    once = ranked_copies(ended).where(F.col("_copy") == 1)
    seen = seen_before(ended, [before], Added(told.rows, over, told.newest))
    added = once.join(seen, "event_id", "left_anti").select(*schema_of("training_archive", profile).names)
    rows = added.withColumn("date", day)
    return rows.repartition("date") if len(over) > FEW_DAYS else rows


def archive_transform(profile: Profile, archive: Archive) -> Transform:
    """Runs as often as it likes and adds at most once a day; a week at a time is what it is meant for."""
    late_days = int(archive.late_days.value)

    @incremental(snapshot_inputs=["raw"], require_incremental=True)
    @transform(
        raw=Input(paths.dataset(profile, "raw_sensor_readings")),
        archive=Output(paths.dataset(profile, "training_archive"), checks=checks_of("training_archive", profile)),
    )
    def archive_readings(ctx: Any, raw: Any, archive: Any) -> None:
        before = archive.dataframe("previous", stored_schema("training_archive", profile))
        added = archived(raw.dataframe(), before, profile, late_days)
        if added is not None:
            archive.write_dataframe(added, partition_cols=PARTITION)
        elif ctx.is_incremental:
            ctx.abort_job()
        else:
            archive.write_dataframe(before.limit(0), partition_cols=PARTITION)

    return archive_readings
