"""Whether features are fresh enough to be judged: scores of stale ones would call the past the present."""

from __future__ import annotations

from datetime import timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.model import Profile
from fleet_health.scoring.seen import only_row
from fleet_health.scoring.staleness import fresh_until, longer_minutes, staleness_of


def features_are_stale(raw: DataFrame, features: DataFrame, profile: Profile, model: ModelSpec | FurtherModel) -> bool:
    """Whether readings came so long after the newest features of the model's length that those are no news any more.

    The limit is the one by which ``scoring_run_metrics`` says ``SKIPPED_STALE_FEATURES``. What is not scored is not
    lost: the run after the features have caught up finds it unscored.

    Args:
        raw: ``raw_sensor_readings``; only rows that came after the limit are looked for.
        features: ``device_features``; without any of that length there is nothing to score, and nothing is stale.
        profile: has a ``staleness`` section.
        model: the model that would score.

    Raises:
        ProfileReferenceError: a profile without ``staleness``.
    """
    minutes = fresh_until(staleness_of(profile), longer_minutes(profile, model))
    windows = features.where(F.col("window_duration_minutes") == model.window_duration_minutes)
    newest = only_row(windows.agg(F.max("computed_at").alias("at")))["at"]
    if newest is None:
        return False
    return not raw.where(F.col("timestamp_ingested") > F.lit(newest + timedelta(minutes=minutes))).isEmpty()
