"""Shape of what comes in: ``raw_sensor_readings``, ``malformed_messages`` and their common parse."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.profiles.model import Profile

SPARK_TYPES: dict[str, T.DataType] = {"double": T.DoubleType(), "boolean": T.BooleanType()}

IDENTITY = (
    T.StructField("event_id", T.StringType()),
    T.StructField("device_id", T.StringType()),
    T.StructField("timestamp_device", T.TimestampType()),
    T.StructField("timestamp_ingested", T.TimestampType()),
)
ORIGIN = (
    T.StructField("_partition_key", T.StringType()),
    T.StructField("_sequence_number", T.LongType()),
    T.StructField("source_file", T.StringType()),
    T.StructField("line_number", T.LongType()),
)

MALFORMED_SCHEMA = T.StructType(
    [
        T.StructField("dead_letter_id", T.StringType()),
        T.StructField("reason", T.StringType()),
        T.StructField("event_id", T.StringType()),
        T.StructField("device_id", T.StringType()),
        T.StructField("timestamp_ingested", T.TimestampType()),
        T.StructField("_partition_key", T.StringType()),
        T.StructField("_sequence_number", T.LongType()),
        T.StructField("payload", T.StringType()),
        T.StructField("error_detail", T.StringType()),
        T.StructField("source_file", T.StringType()),
        T.StructField("line_number", T.LongType()),
    ]
)
MALFORMED_COLUMNS = tuple(MALFORMED_SCHEMA.fieldNames())


def sensor_fields(profile: Profile) -> list[T.StructField]:
    """One nullable column per sensor, in the profile's order."""
    return [T.StructField(sensor.name, SPARK_TYPES[sensor.type]) for sensor in profile.sensors]


def raw_schema(profile: Profile) -> T.StructType:
    """Contract 1 plus the row's origin (``source_file``, ``line_number``) and its ``unreadable`` sensor cells."""
    unreadable = T.StructField("unreadable", T.ArrayType(T.StringType()))
    return T.StructType([*IDENTITY, *sensor_fields(profile), *ORIGIN, unreadable])


def raw_columns(profile: Profile) -> tuple[str, ...]:
    return tuple(raw_schema(profile).fieldNames())


def parsed_schema(profile: Profile) -> T.StructType:
    """Every line, readable or not."""
    verdict = [T.StructField(name, T.StringType()) for name in ("reason", "payload", "error_detail")]
    return T.StructType([*raw_schema(profile).fields, *verdict])
