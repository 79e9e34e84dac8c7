"""``device_stream_thresholds`` and its history in code, and what the streaming rules emit."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.contracts.schemas import plain_schema, schema_of
from fleet_health.profiles.model import Profile

HISTORY_SCHEMA = plain_schema("threshold_history")


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
