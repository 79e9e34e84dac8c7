"""``device_stream_thresholds`` in code, and what the streaming rules emit."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.contracts.schemas import schema_of
from fleet_health.profiles.model import Profile


def thresholds_schema(profile: Profile) -> T.StructType:
    """One column per limit and average, as the rules of the profile name them; averages may be null."""
    return schema_of("device_stream_thresholds", profile)


# Times are microseconds, so that no session zone comes between a reading and its alert.
FIRING_SCHEMA = T.StructType(
    [
        T.StructField("device_id", T.StringType()),
        T.StructField("rule", T.StringType()),
        T.StructField("time", T.LongType()),
        T.StructField("received", T.LongType()),
        T.StructField("value", T.DoubleType()),
        T.StructField("first", T.LongType()),
        T.StructField("suppressed", T.BooleanType()),
    ]
)
