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


LINE_COUNTS = ("merged_lines", "repeated_lines")
"""How many lines a merged reading stands for beside its own."""

LINE_FILES = ("merged_files", "repeated_files")
"""The files of those lines, where lines of several files are merged."""


def line_columns(profile: Profile) -> tuple[str, ...]:
    """What a merged reading says of its lines."""
    merge = profile.source.merge
    return () if merge is None else (*LINE_COUNTS, *LINE_FILES) if merge.across_files else LINE_COUNTS


NAMED_SENSOR = "_sensor"
"""The sensor that a narrow line names, where lines are merged."""


def parsed_schema(profile: Profile) -> T.StructType:
    """Every line, readable or not."""
    verdict = [MALFORMED_SCHEMA[name] for name in ("reason", "payload", "error_detail")]
    if profile.source.merge is None:
        return T.StructType([*raw_schema(profile).fields, *verdict])
    of_lines = [field for field in raw_schema(profile).fields if field.name not in line_columns(profile)]
    return T.StructType([*of_lines, *verdict, T.StructField(NAMED_SENSOR, T.StringType())])
