"""Which windows train the model: the right length, complete enough, clean enough, on the days the profile declares."""

from __future__ import annotations

import functools
import operator

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.training import EXCLUSION_REASONS, OTHER_DAY
from fleet_health.feature_store.versions import available_since
from fleet_health.local_days import local_day, zone_of
from fleet_health.profiles.model import Profile


def eligible_windows(features: DataFrame, profile: Profile) -> DataFrame:
    """The rows of ``device_features`` that may train the profile's model; columns unchanged.

    A declared day is a local day of the device; a window belongs to it when it lies inside. Without declared days every
    day is eligible. No label is read: the days are written in the profile.
    """
    return of_length(features, profile).where(left_out_because(profile).isNull())


def of_length(features: DataFrame, profile: Profile) -> DataFrame:
    """The windows of the length that the model uses."""
    return features.where(F.col("window_duration_minutes") == profile.model.window_duration_minutes)


def left_out_because(profile: Profile) -> Column:
    """Why a window does not train: :data:`OTHER_DAY`, else the first of :data:`EXCLUSION_REASONS`, null if it does."""
    model = profile.model
    since = available_since(profile)
    available, complete, read, clean, _ = EXCLUSION_REASONS
    reason = F.when(~on_training_day(profile), F.lit(OTHER_DAY))
    if since is not None:
        reason = reason.when(F.col("window_start") < F.lit(since).cast("timestamp"), F.lit(available))
    return (
        reason.when(F.col("sensor_completeness") < model.training_completeness_min.value, F.lit(complete))
        .when(F.col("reading_count") < int(model.training_reading_count_min.value), F.lit(read))
        .when(F.col("quality_flag_count") > int(model.training_flagged_readings_max.value), F.lit(clean))
    )


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
