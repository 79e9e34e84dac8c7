"""Which windows train the model: the right length, complete enough, clean enough, on the days the profile declares."""

from __future__ import annotations

import functools
import operator

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.local_days import local_day, zone_of
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
