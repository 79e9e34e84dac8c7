"""Clock-aligned tumbling windows in UTC: start inclusive, end exclusive, one device at a time.

The window key is ``floor(epoch / length)`` as an integer. Only windows whose end the data has passed are written: an
open window would change its values later. A device's readings meet in one partition in the order of their time, so the
same readings give the same bytes whatever files and tasks they came through.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from fleet_health.contracts.conform import conform
from fleet_health.contracts.features import COUNTS, features_schema
from fleet_health.data_time import with_data_time
from fleet_health.features import kernel
from fleet_health.features.kernel import P95, Centred, Floats, Groups
from fleet_health.profiles.model import Feature, Profile

_MICROS_PER_MINUTE = 60_000_000

_DERIVED: Mapping[str, Callable[[Floats, Floats], Floats]] = {
    "difference": kernel.difference,
    "ratio_of_positive": kernel.ratio_of_positive,
    "ratio_of_nonzero": kernel.ratio_of_nonzero,
}


def device_features(clean: DataFrame, profile: Profile) -> DataFrame:
    """One row per device, closed window and window length.

    Args:
        clean: ``clean_sensor_readings``.
        profile: windows and features.

    Returns:
        ``device_features``: key, features in the profile's order (see :mod:`fleet_health.features.kernel` for nulls),
        ``computed_at`` = newest receipt time of ``clean``. A window without readings has no row.
    """
    sensors = sorted({feature.sensor for feature in profile.features if feature.sensor is not None})
    readings = clean.select(
        "device_id",
        F.unix_micros("timestamp_utc").alias("micros"),
        "event_id",
        (F.size("quality_flags") > 0).cast("double").alias("flagged"),
        F.col("sensor_null_count").cast("double"),
        *(F.col(name).cast("double").alias(name) for name in sensors),
    )
    ordered = readings.repartition("device_id").sortWithinPartitions("device_id", "micros", "event_id")

    def summarise(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for whole in whole_windows(batches, profile):
            for minutes in profile.windows_minutes:
                yield window_table(whole, minutes, profile)

    schema = T.StructType(features_schema(profile).fields[:-1])
    timed = with_data_time(ordered.mapInPandas(summarise, schema), clean, "computed_at")
    return conform(timed.where(F.col("window_end") <= F.col("computed_at")), features_schema(profile))


def whole_windows(batches: Iterable[pd.DataFrame], profile: Profile) -> Iterator[pd.DataFrame]:
    """The same rows, cut only where no window of any length goes on: what may continue waits for the next batch."""
    span = math.lcm(*profile.windows_minutes) * _MICROS_PER_MINUTE
    waiting: list[pd.DataFrame] = []
    for batch in batches:
        rows = pd.concat([*waiting, batch], ignore_index=True) if waiting else batch
        if not len(rows):
            continue
        last = rows.iloc[-1]
        goes_on = (rows["device_id"] == last["device_id"]) & (rows["micros"] // span == last["micros"] // span)
        cut = int(goes_on.to_numpy().argmax())
        if cut:
            yield rows.iloc[:cut].reset_index(drop=True)
        waiting = [rows.iloc[cut:]]
    if waiting:
        yield waiting[0].reset_index(drop=True)


def window_table(readings: pd.DataFrame, minutes: int, profile: Profile) -> pd.DataFrame:
    """Every window of one length.

    Args:
        readings: whole windows, ordered by device and time: ``device_id``, ``micros`` since the epoch, ``flagged``
            (0/1), ``sensor_null_count`` and every sensor that a feature summarises, as doubles (null is NaN).
        minutes: the length.
        profile: the features.

    Returns:
        the columns of ``device_features`` without ``computed_at``.
    """
    length = minutes * _MICROS_PER_MINUTE
    micros = readings["micros"].to_numpy(dtype=np.int64)
    key = micros // length  # floors, so instants before 1970 fall into the right window too
    devices = readings["device_id"].to_numpy(dtype=object)
    groups = Groups.where_changes(devices, key)
    since_start = (micros - key * length) / _MICROS_PER_MINUTE
    columns = _columns(readings, groups, since_start, profile)
    starts = key[groups.starts] * length
    table = {
        "device_id": devices[groups.starts],
        "window_start": pd.to_datetime(starts, unit="us", utc=True),
        "window_end": pd.to_datetime(starts + length, unit="us", utc=True),
        "window_duration_minutes": np.full(len(starts), minutes, dtype=np.int32),
        **{f.name: columns[f.name].astype(np.int32) if f.name in COUNTS else columns[f.name] for f in profile.features},
    }
    return pd.DataFrame(table)


def _columns(readings: pd.DataFrame, groups: Groups, minutes: Floats, profile: Profile) -> dict[str, Floats]:
    centred: dict[str, Centred] = {}
    columns: dict[str, Floats] = {}
    for feature in profile.features:
        if feature.of is not None:
            left, right = (columns[name] for name in feature.of)
            columns[feature.name] = _DERIVED[feature.aggregation](left, right)
        elif feature.sensor is not None:
            values = readings[feature.sensor].to_numpy(dtype=np.float64)
            if feature.sensor not in centred:
                centred[feature.sensor] = Centred.of(values, ~np.isnan(values), groups)
            columns[feature.name] = _statistic(feature, centred[feature.sensor], values, minutes)
        else:
            columns[feature.name] = _quality(feature, readings, groups, profile)
    return columns


def _statistic(feature: Feature, sensor: Centred, values: Floats, minutes: Floats) -> Floats:
    match feature.aggregation:
        case "mean" | "fraction":
            return sensor.mean
        case "std":
            return sensor.std()
        case "min":
            return sensor.low
        case "max":
            return sensor.high
        case "p95":
            return sensor.percentile(values, P95)
        case "slope":
            return sensor.slope(minutes)
    raise ValueError(f"feature {feature.name!r} has no aggregation {feature.aggregation!r}")  # the loader refuses it


def _quality(feature: Feature, readings: pd.DataFrame, groups: Groups, profile: Profile) -> Floats:
    if feature.aggregation == "quality_flag_count":
        return groups.total(readings["flagged"].to_numpy(dtype=np.float64))
    if feature.aggregation == "reading_count":
        return groups.total(np.ones(len(readings)))
    share = 1.0 - readings["sensor_null_count"].to_numpy(dtype=np.float64) / len(profile.sensors)
    return Centred.of(share, np.ones(len(share), dtype=bool), groups).mean
