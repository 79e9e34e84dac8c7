"""``device_stream_thresholds``: the limits of each device, and the averages that some rules multiply."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from fleet_health.contracts.conform import conform
from fleet_health.contracts.streaming import thresholds_schema
from fleet_health.data_time import with_data_time
from fleet_health.profiles.model import Profile
from fleet_health.profiles.serving import StreamingRule, TrailingAverage

_HOUR = 3_600_000_000


def device_stream_thresholds(features: DataFrame, registry: DataFrame, profile: Profile) -> DataFrame:
    """The rows of contract R2.

    Args:
        features: ``device_features``.
        registry: ``device_registry``; one row per device comes out, whether it has features or not.
        profile: limits with their defaults, differing devices, and which averages to store.

    Returns:
        limits of each device, never null; averages, null until the device has their hours of history or when they are
        not positive; ``source_model_version`` null, because no limit is derived from a model; ``updated_at`` is the
        newest ``computed_at`` of ``features``.
    """
    averages = averages_of(profile)
    schema = T.StructType(
        [T.StructField("device_id", T.StringType()), *(T.StructField(a.column, T.DoubleType()) for a in averages)]
    )

    def newest(rows: pd.DataFrame) -> pd.DataFrame:
        found = {average.column: [trailing(rows, average)[1][-1]] for average in averages}
        return pd.DataFrame({"device_id": [rows["device_id"].iloc[0]], **found})

    rows = registry.select("device_id")
    if averages:
        found = average_windows(features, profile).groupBy("device_id").applyInPandas(newest, schema)
        rows = rows.join(found, "device_id", "left")
        # pandas knows no null of its own among numbers
        rows = rows.withColumns({a.column: F.when(~F.isnan(a.column), F.col(a.column)) for a in averages})
    limits = {rule.limit.column: F.lit(float(rule.limit.default)) for rule in _rules(profile)}
    for device in () if profile.streaming is None else profile.streaming.devices:
        for column, value in device.limits.items():
            limits[column] = F.when(F.col("device_id") == device.device_id, F.lit(float(value))).otherwise(
                limits[column]
            )
    rows = rows.withColumns({**limits, "source_model_version": F.lit(None).cast("string")})
    return conform(with_data_time(rows, features, "updated_at", F.col("computed_at")), thresholds_schema(profile))


def average_windows(features: DataFrame, profile: Profile) -> DataFrame:
    """What the averages are made of: windows of their lengths, times as microseconds."""
    averages = averages_of(profile)
    micros = [F.unix_micros(name).alias(name) for name in ("window_start", "window_end", "computed_at")]
    values = [F.col(name) for name in sorted({a.feature for a in averages})]
    rows = features.where(F.col("window_duration_minutes").isin(*{a.window_minutes for a in averages}))
    return rows.select("device_id", *micros, "window_duration_minutes", "reading_count", *values)


def trailing(windows: pd.DataFrame, average: TrailingAverage) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """The average of one device as it was known: from each returned time on, the value beside it.

    Args:
        windows: rows of :func:`average_windows` of one device, in any order.
        average: feature, window length and hours.

    Returns:
        times (rising) and values; NaN while the first window is younger than the hours asked for, or nothing positive
        was measured in them. A time knows only windows computed by then.
    """
    rows = windows[windows["window_duration_minutes"] == average.window_minutes]
    rows = rows.sort_values(["computed_at", "window_end"], kind="stable")
    starts, ends, known = (rows[name].to_numpy(np.int64) for name in ("window_start", "window_end", "computed_at"))
    value = rows[average.feature].to_numpy(np.float64)
    weight = np.where(np.isnan(value), 0.0, rows["reading_count"].to_numpy(np.float64))
    times = np.unique(known)
    means = np.full(len(times), np.nan)
    for index, time in enumerate(times):
        count = int(np.searchsorted(known, time, side="right"))
        begin = ends[:count].max() - average.hours * _HOUR
        inside = ends[:count] > begin
        weights = weight[:count][inside]
        if starts[:count].min() <= begin and weights.sum() > 0:
            means[index] = np.nansum(value[:count][inside] * weights) / weights.sum()
    if not len(times):
        return np.zeros(1, np.int64), np.full(1, np.nan)
    return times, np.where(means > 0, means, np.nan)


def averages_of(profile: Profile) -> list[TrailingAverage]:
    return [rule.average for rule in _rules(profile) if rule.average is not None]


def limits_of(device_id: str, profile: Profile) -> dict[str, float]:
    """The limits of one device, without averages."""
    limits = {rule.limit.column: float(rule.limit.default) for rule in _rules(profile)}
    for device in () if profile.streaming is None else profile.streaming.devices:
        if device.device_id == device_id:
            limits.update(device.limits)
    return limits


def _rules(profile: Profile) -> tuple[StreamingRule, ...]:
    return () if profile.streaming is None else profile.streaming.rules
