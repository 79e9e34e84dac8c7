"""Shape of what cleansing writes: clean, quarantined and dead rows, and the count that proves nothing was lost."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.contracts.raw import MALFORMED_SCHEMA, sensor_fields
from fleet_health.profiles.model import Profile

RANGE_VIOLATION = "RANGE_VIOLATION"
CLOCK_DRIFT = "CLOCK_DRIFT"
DUPLICATE_REMOVED = "DUPLICATE_REMOVED"
SENSOR_GAP = "SENSOR_GAP"
SUSPECT_VALUE = "SUSPECT_VALUE"
UNREADABLE_VALUE = "UNREADABLE_VALUE"
DEVICE_UNKNOWN = "DEVICE_UNKNOWN"
IMPOSSIBLE_ROW = "IMPOSSIBLE_ROW"

CLEAN_FLAGS = (RANGE_VIOLATION, CLOCK_DRIFT, DUPLICATE_REMOVED, SENSOR_GAP, SUSPECT_VALUE, UNREADABLE_VALUE)
QUARANTINE_REASONS = (DEVICE_UNKNOWN, IMPOSSIBLE_ROW)
ALL_SENSORS_NULL = "ALL_SENSORS_NULL"
UNREAD_REASONS = ("DESERIALIZATION_FAILURE", "SCHEMA_MISMATCH")
DEAD_LETTER_REASONS = (*UNREAD_REASONS, ALL_SENSORS_NULL)

OUTCOMES = ("CLEAN", "QUARANTINE", "DEAD_LETTER", "DUPLICATE")


def clean_schema(profile: Profile) -> T.StructType:
    """Contract 2 plus the receipt time and where the row came from."""
    return T.StructType(
        [
            T.StructField("event_id", T.StringType()),
            T.StructField("device_id", T.StringType()),
            T.StructField("timestamp_utc", T.TimestampType()),
            *sensor_fields(profile),
            T.StructField("quality_flags", T.ArrayType(T.StringType())),
            T.StructField("sensor_null_count", T.IntegerType()),
            T.StructField("timestamp_ingested", T.TimestampType()),
            T.StructField("source_file", T.StringType()),
            T.StructField("line_number", T.LongType()),
        ]
    )


def quarantine_schema(profile: Profile) -> T.StructType:
    """Contract 2a: a clean row plus why it is held back, by which rule of the profile, and since when."""
    return T.StructType(
        [
            *clean_schema(profile).fields,
            T.StructField("quarantine_reason", T.StringType()),
            T.StructField("quarantine_rule", T.StringType()),
            T.StructField("quarantined_at", T.TimestampType()),
        ]
    )


DEAD_LETTER_SCHEMA = T.StructType([*MALFORMED_SCHEMA.fields, T.StructField("routed_at", T.TimestampType())])
DEAD_LETTER_COLUMNS = tuple(DEAD_LETTER_SCHEMA.fieldNames())

CONSERVATION_SCHEMA = T.StructType(
    [
        T.StructField("source_file", T.StringType()),
        T.StructField("outcome", T.StringType()),
        T.StructField("reason", T.StringType()),
        T.StructField("rows", T.LongType()),
    ]
)
