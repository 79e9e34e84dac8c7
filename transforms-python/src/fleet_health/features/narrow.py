"""Wide clean rows as narrow ones, a row per reading and sensor, and back."""

from __future__ import annotations

from typing import Literal

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.features.errors import UnknownSensorError
from fleet_health.profiles.model import Profile

READING = ("device_id", "timestamp_utc", "event_id")


def narrow_readings(clean: DataFrame, profile: Profile, *, nulls: Literal["keep", "drop"]) -> DataFrame:
    """One row per reading and sensor.

    Args:
        clean: ``clean_sensor_readings``.
        profile: its sensors.
        nulls: whether a sensor without a value has a row; :func:`null_rows` counts them either way.

    Returns:
        :data:`READING`, ``sensor`` and ``value`` (double; booleans are 0 and 1).
    """
    pairs = [
        F.struct(F.lit(name).alias("sensor"), F.col(name).cast("double").alias("value"))
        for name in profile.sensor_names
    ]
    rows = clean.select(*READING, F.inline(F.array(*pairs)))
    return rows if nulls == "keep" else rows.where("value is not null")


def null_rows(clean: DataFrame, profile: Profile) -> DataFrame:
    """How many narrow rows have no value: ``sensor``, ``rows`` and ``null_rows``, one row per sensor."""
    return (
        narrow_readings(clean, profile, nulls="keep")
        .groupBy("sensor")
        .agg(F.count(F.lit(1)).alias("rows"), F.count(F.when(F.col("value").isNull(), 1)).alias("null_rows"))
    )


def wide_readings(narrow: DataFrame, profile: Profile) -> DataFrame:
    """One row per reading with a column per sensor; a sensor without a row is null.

    Args:
        narrow: as :func:`narrow_readings` gives it. A sensor that a reading names twice has its largest value.
        profile: its sensors.

    Raises:
        UnknownSensorError: a row names another sensor.
    """
    unknown = narrow.where(~F.col("sensor").isin(*profile.sensor_names)).agg(F.min("sensor")).first()
    if unknown is not None and unknown[0] is not None:
        raise UnknownSensorError(profile.profile, unknown[0], profile.sensor_names)
    columns = []
    for sensor in profile.sensors:
        value = F.max(F.when(F.col("sensor") == sensor.name, F.col("value")))
        columns.append((value.cast("boolean") if sensor.type == "boolean" else value).alias(sensor.name))
    return narrow.groupBy(*READING).agg(*columns)
