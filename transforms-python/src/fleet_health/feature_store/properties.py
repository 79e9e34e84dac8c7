"""``device_properties``: what is shown on a device itself, refreshed from its newest closed window."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.consistency import properties_schema
from fleet_health.data_time import with_data_time
from fleet_health.profiles.model import Profile


def device_properties(features: DataFrame, profile: Profile, scores: DataFrame | None = None) -> DataFrame:
    """One row per device that has any window.

    Args:
        features: ``device_features``, which holds closed windows only.
        profile: declares the properties.
        scores: ``model_scores`` of the released model; needed where a property shows the score.

    Returns:
        every declared property: the feature of the device's newest window of that length, null where it has no such
        window yet or the feature is null there; and ``refreshed_at``, the newest ``computed_at`` of ``features``.
    """
    newest = F.unix_micros("window_end")
    shown = []
    for one in profile.properties:
        if one.feature is not None:
            of_length = F.col("window_duration_minutes") == F.lit(one.window_duration_minutes)
            # a struct, because max_by over the bare value would skip a null and show an older window
            value = F.max_by(F.struct(F.col(one.feature).alias("value")), F.when(of_length, newest))
            shown.append(value["value"].alias(one.name))
    rows = features.groupBy("device_id").agg(F.count(F.lit(1)).alias("_windows"), *shown)
    scored = [one.name for one in profile.properties if one.score]
    if scored and scores is not None:
        # of one window scored by several versions, the score that was made last
        last = F.struct(newest.alias("end"), F.unix_micros("scored_at").alias("at"), "model_version")
        latest = scores.groupBy("device_id").agg(F.max_by("anomaly_score", last).alias("_score"))
        rows = rows.join(latest, "device_id", "left").withColumns({name: F.col("_score") for name in scored})
    elif scored:
        rows = rows.withColumns({name: F.lit(None).cast("double") for name in scored})
    timed = with_data_time(rows, features, "refreshed_at", F.col("computed_at"))
    return conform(timed, properties_schema(profile))
