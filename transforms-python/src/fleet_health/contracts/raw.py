"""What comes in, in code: ``raw_sensor_readings``, ``malformed_messages`` and their common parse."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.contracts.schemas import plain_schema, schema_of
from fleet_health.profiles.model import Profile

MALFORMED_SCHEMA = plain_schema("malformed_messages")
MALFORMED_COLUMNS = tuple(MALFORMED_SCHEMA.fieldNames())


def raw_schema(profile: Profile) -> T.StructType:
    """The columns of ``raw_sensor_readings``."""
    return schema_of("raw_sensor_readings", profile)


def raw_columns(profile: Profile) -> tuple[str, ...]:
    return tuple(raw_schema(profile).fieldNames())


def parsed_schema(profile: Profile) -> T.StructType:
    """Every line, readable or not."""
    verdict = [MALFORMED_SCHEMA[name] for name in ("reason", "payload", "error_detail")]
    return T.StructType([*raw_schema(profile).fields, *verdict])
