"""Shape of ``device_features`` (contract 3)."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.profiles.model import Profile

COUNTS = ("reading_count", "quality_flag_count")


def features_schema(profile: Profile) -> T.StructType:
    """Key, every feature in the profile's order, and the logical run time."""
    values = [T.StructField(f.name, T.IntegerType() if f.name in COUNTS else T.DoubleType()) for f in profile.features]
    return T.StructType(
        [
            T.StructField("device_id", T.StringType()),
            T.StructField("window_start", T.TimestampType()),
            T.StructField("window_end", T.TimestampType()),
            T.StructField("window_duration_minutes", T.IntegerType()),
            *values,
            T.StructField("computed_at", T.TimestampType()),
        ]
    )
