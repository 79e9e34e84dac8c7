"""``threshold_history``: when which limit of a unit became what, and why."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.streaming import HISTORY_SCHEMA
from fleet_health.ids import natural_key_id
from fleet_health.profiles.model import Profile

ANSWERS = "ML Scientist"
"""Who answers for the limits of the profile, as the contract says of its owner."""


def threshold_changes(thresholds: DataFrame, history: DataFrame, profile: Profile) -> DataFrame:
    """The rows of ``threshold_history`` that are not there yet.

    Args:
        thresholds: ``device_stream_thresholds``; its averages follow the readings and are no limits.
        history: what was told so far.
        profile: the limits, and the reasons for them.

    Returns:
        one row per unit and limit that is new or is another one than in its newest entry. ``changed_at`` is the data
        time of the limits; an edit of the profile without new data comes a microsecond after the entry before it, so
        that the order of both is kept.
    """
    streaming = profile.streaming
    rules = () if streaming is None else streaming.rules
    limits = dict.fromkeys(rule.limit.column for rule in rules)
    each = F.array(*(F.struct(F.lit(n).alias("limit_name"), F.col(n).alias("new_value")) for n in limits))
    now = thresholds.select("device_id", "updated_at", "source_model_version", F.inline(each))
    newest = (F.max_by("new_value", "changed_at").alias("old_value"), F.max(F.unix_micros("changed_at")).alias("_told"))
    told = history.groupBy("device_id", "limit_name").agg(*newest)
    rows = now.join(told, ["device_id", "limit_name"], "left")
    changed = rows.where(F.col("old_value").isNull() | (F.col("old_value") != F.col("new_value")))
    at = F.greatest(F.unix_micros("updated_at"), F.col("_told") + 1)
    return conform(
        changed.withColumns(
            {
                "change_id": natural_key_id("threshold_change", F.col("device_id"), F.col("limit_name"), at),
                "cohort_id": F.lit(None).cast("string"),
                "reason": _reason(profile),
                "model_version": F.col("source_model_version"),
                "changed_at": F.timestamp_micros(at),
                "changed_by_role": F.lit(ANSWERS),
            }
        ),
        HISTORY_SCHEMA,
    )


def _reason(profile: Profile) -> Column:
    """That of the unit where it has a limit of its own, else that of the rule."""
    streaming = profile.streaming
    told: Column = F.lit(None).cast("string")
    for rule in () if streaming is None else streaming.rules:
        told = F.when(F.col("limit_name") == rule.limit.column, F.lit(rule.limit.reason)).otherwise(told)
    for device in () if streaming is None else streaming.devices:
        own = (F.col("device_id") == device.device_id) & F.col("limit_name").isin(*device.limits)
        told = F.when(own, F.lit(device.reason)).otherwise(told)
    return told
