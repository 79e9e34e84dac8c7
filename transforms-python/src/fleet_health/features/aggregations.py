"""How one feature is computed from the readings of one window, with the null rule of each.

mean, min, max, p95, fraction   null only when the window holds no value of the sensor
std                             null below two values; exactly 0 for equal values (sample deviation, n - 1)
slope                           least squares on minutes since the window's start over rows where the sensor is present;
                                null below two values or when all of them share one instant
p95                             exact, linear interpolation
difference                      null when an operand is null
ratio_of_positive               null when an operand is null or the denominator is not above 0
ratio_of_nonzero                null when an operand is null or the denominator is within 1e-6 of 0; sign passes through
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from pyspark.sql import Column
from pyspark.sql import functions as F

from fleet_health.profiles.model import Feature, Profile

MINUTES = "_minutes"
"""Name of the column with minutes since the window's start, fractions included."""

_ZERO = 1e-6

_SENSOR: Mapping[str, Callable[[str], Column]] = {
    "mean": lambda sensor: F.avg(sensor),
    "std": lambda sensor: F.stddev_samp(sensor),
    "min": lambda sensor: F.min(sensor),
    "max": lambda sensor: F.max(sensor),
    "p95": lambda sensor: F.percentile(sensor, 0.95),
    "slope": lambda sensor: F.regr_slope(sensor, MINUTES),
    "fraction": lambda sensor: F.avg(F.col(sensor).cast("double")),
}


def aggregate(feature: Feature, profile: Profile) -> Column | None:
    """The aggregate over the readings of a window; ``None`` for features derived from others."""
    if feature.sensor is not None:
        return _SENSOR[feature.aggregation](feature.sensor).alias(feature.name)
    if feature.aggregation == "reading_count":
        return F.count(F.lit(1)).cast("int").alias(feature.name)
    if feature.aggregation == "quality_flag_count":
        return F.count(F.when(F.size("quality_flags") > 0, 1)).cast("int").alias(feature.name)
    if feature.aggregation == "sensor_completeness":
        return F.avg(1.0 - F.col("sensor_null_count") / F.lit(float(len(profile.sensors)))).alias(feature.name)
    return None


def derive(feature: Feature) -> Column:
    """Arithmetic on features of the same row."""
    if feature.of is None:
        raise ValueError(f"feature {feature.name!r} has no operands")  # the loader lets none through
    left, right = (F.col(name) for name in feature.of)
    if feature.aggregation == "difference":
        return left - right
    if feature.aggregation == "ratio_of_positive":
        return F.when(right > 0, left / right)
    return F.when(F.abs(right) >= _ZERO, left / right)
