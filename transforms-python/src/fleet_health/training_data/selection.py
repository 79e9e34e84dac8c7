"""Which windows may train or judge a model: long enough, complete enough, clean enough, and of a normal time."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping
from datetime import datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.labels import MAINTENANCE
from fleet_health.contracts.training import EXCLUSION_REASONS, OTHER_DAY
from fleet_health.feature_store.point_in_time import literal
from fleet_health.feature_store.versions import available_since
from fleet_health.local_days import local_day, zone_of
from fleet_health.profiles.learning import ExcludedPeriod, Training
from fleet_health.profiles.model import Profile

VISITED = "_visited"
_PERIODS = {"outage": "KNOWN_OUTAGE", "firmware_rollout": "FIRMWARE_ROLLOUT", "maintenance": "AFTER_MAINTENANCE"}


def with_visits(rows: DataFrame, labels: DataFrame, instant: Column | datetime, training: Training) -> DataFrame:
    """``rows`` plus :data:`VISITED`: whether a window has an instant in common with the time that follows maintenance.

    Args:
        rows: windows, of which none moves: what is known of a device is shipped to its rows.
        labels: ``label_events``; an event counts from its time on, for ``after_maintenance_hours``.
        instant: what was recorded later stays unseen.
        training: how long a unit runs in.
    """
    known = labels.where((F.col("labeled_at") <= literal(instant)) & F.col("label_type").isin(*MAINTENANCE))
    begins = F.unix_micros("event_timestamp")
    per_device = known.groupBy("device_id").agg(F.collect_set(begins).alias("_visits"))
    lasts = F.lit(round(training.after_maintenance_hours.value * 3_600_000_000))
    start, end = F.unix_micros("window_start"), F.unix_micros("window_end")
    touched = F.exists("_visits", lambda visit: (start < visit + lasts) & (end > visit))
    joined = rows.join(F.broadcast(per_device), "device_id", "left")
    return joined.select(*rows.columns, F.coalesce(touched, F.lit(False)).alias(VISITED))


def left_out_because(profile: Profile, visited: Column | None = None) -> Column:
    """Why a window does not train: :data:`OTHER_DAY`, else the first of :data:`EXCLUSION_REASONS`, null if it does.

    ``visited`` tells of maintenance that the profile does not list.

    Limits of counts are declared for the first model's window length and grow with a window: five flagged readings are
    a third of a quarter hour and nothing of a day.
    """
    model = profile.model
    since = available_since(profile)
    available, complete, read, clean = EXCLUSION_REASONS[:4]
    times = F.col("window_duration_minutes") / F.lit(model.window_duration_minutes)
    reason = F.when(~on_training_day(profile), F.lit(OTHER_DAY))
    if since is not None:
        reason = reason.when(F.col("window_start") < F.lit(since).cast("timestamp"), F.lit(available))
    reason = (
        reason.when(F.col("sensor_completeness") < model.training_completeness_min.value, F.lit(complete))
        .when(F.col("reading_count") < times * int(model.training_reading_count_min.value), F.lit(read))
        .when(F.col("quality_flag_count") > times * int(model.training_flagged_readings_max.value), F.lit(clean))
    )
    for kind, word in _PERIODS.items():
        declared = [_touches(one, profile.training) for one in profile.training.exclude if one.kind == kind]
        if kind == "maintenance" and visited is not None:
            declared.append(visited)
        if declared:
            reason = reason.when(functools.reduce(operator.or_, declared), F.lit(word))
    return reason


def _touches(period: ExcludedPeriod, training: Training) -> Column:
    """Whether a window has an instant in common with an excluded period of its device."""
    later = training.after_maintenance_hours.value if period.kind == "maintenance" else 0.0
    end = literal(period.end + timedelta(hours=later))
    inside = (F.col("window_start") < end) & (F.col("window_end") > literal(period.start))
    return inside if period.device_id is None else inside & (F.col("device_id") == period.device_id)


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


def drawn(counts: Mapping[tuple[int, str, str], int], rows_max: int, seed: int) -> Column:
    """Whether a placed row is among at most about ``rows_max`` of its length, part and period.

    By a hash of its key, so that the same rows are drawn again, and every device and week in the same share.

    Args:
        counts: rows there are, by length, ``device_part`` and ``period``.
        rows_max: what the memory of one machine should hold of each.
        seed: recorded with the model.
    """
    key = F.sha2(F.concat_ws("|", F.lit(seed), "device_id", F.unix_micros("window_start")), 256)
    number = F.conv(F.substring(key, 1, 8), 16, 10).cast("double") / float(2**32)
    kept = F.lit(True)
    for (minutes, part, period), count in sorted(counts.items()):
        if count > rows_max:
            own = (F.col("window_duration_minutes") == minutes) & (F.col("device_part") == part)
            kept = kept & ~(own & (F.col("period") == period) & (number >= rows_max / count))
    return kept
