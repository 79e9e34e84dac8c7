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

RELEASED = "RELEASED"
OUTCOMES = ("CLEAN", "QUARANTINE", "DEAD_LETTER", "DUPLICATE", RELEASED)
ALL_DEVICES = "ALL"

DATE = T.StructField("date", T.DateType())
"""UTC day of ``timestamp_utc``; the folder in which the row lies, so that look-backs read days and not the history."""
PARTITION = [DATE.name]


def clean_schema(profile: Profile) -> T.StructType:
    """Contract 2 plus the receipt time, where the row came from, and its day."""
    return T.StructType([*_clean_fields(profile), DATE])


def _clean_fields(profile: Profile) -> list[T.StructField]:
    return [
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


def quarantine_schema(profile: Profile) -> T.StructType:
    """Contract 2a: a clean row plus why it is held back, by which rule of the profile, and since when.

    The last three before the day are what a release needs and a clean row does not tell: ``sensors_absent`` are the
    sensors that were null in raw, without those whose cells were unreadable.
    """
    return T.StructType(
        [
            *_clean_fields(profile),
            T.StructField("quarantine_reason", T.StringType()),
            T.StructField("quarantine_rule", T.StringType()),
            T.StructField("quarantined_at", T.TimestampType()),
            T.StructField("_partition_key", T.StringType()),
            T.StructField("_sequence_number", T.LongType()),
            T.StructField("sensors_absent", T.ArrayType(T.StringType())),
            DATE,
        ]
    )


DEAD_LETTER_SCHEMA = T.StructType([*MALFORMED_SCHEMA.fields, T.StructField("routed_at", T.TimestampType()), DATE])
DEAD_LETTER_COLUMNS = tuple(DEAD_LETTER_SCHEMA.fieldNames())

CONSERVATION_SCHEMA = T.StructType(
    [
        T.StructField("source_file", T.StringType()),
        T.StructField("outcome", T.StringType()),
        T.StructField("reason", T.StringType()),
        T.StructField("device_id", T.StringType()),
        T.StructField("rows", T.LongType()),
    ]
)
