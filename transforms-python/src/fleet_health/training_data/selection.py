"""Which windows train the model: the right length, complete enough, clean enough, on the days the profile declares."""

from __future__ import annotations

import functools
import operator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.profiles.model import Profile


def eligible_windows(features: DataFrame, profile: Profile) -> DataFrame:
    """The rows of ``device_features`` that may train the profile's model; columns unchanged.

    A declared day is a local day of the device; a window belongs to it when it lies inside. Without declared days every
    day is eligible. No label is read: the days are written in the profile.
    """
    model = profile.model
    rows = features.where(
        (F.col("window_duration_minutes") == model.window_duration_minutes)
        & (F.col("sensor_completeness") >= model.training_completeness_min.value)
        & (F.col("reading_count") >= int(model.training_reading_count_min.value))
        & (F.col("quality_flag_count") <= int(model.training_flagged_readings_max.value))
    )
    return rows.where(on_training_day(profile)) if model.training_days else rows


def on_training_day(profile: Profile) -> Column:
    """Whether a window of ``device_features`` or ``model_scores`` lies in a day that trained the model."""
    if not profile.model.training_days:
        return F.lit(True)
    inside = [
        (F.col("device_id") == days.device_id) & (F.col("window_start") >= start) & (F.col("window_end") <= end)
        for days in profile.model.training_days
        for day in days.days
        for start, end in [local_day(day, zone_of(days.device_id, profile))]
    ]
    return functools.reduce(operator.or_, inside)


def zone_of(device_id: str, profile: Profile) -> str:
    """The zone declared for a device; UTC for devices that are not declared in the profile."""
    return next((d.timezone for d in profile.registry.devices if d.device_id == device_id), "UTC")


def local_day(day: date, zone: str) -> tuple[datetime, datetime]:
    """First instant of a local day and of the next one, in UTC."""
    midnight = [datetime.combine(day + timedelta(days=n), time(), tzinfo=ZoneInfo(zone)) for n in (0, 1)]
    return midnight[0].astimezone(UTC), midnight[1].astimezone(UTC)
