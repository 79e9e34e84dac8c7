"""What cleansing writes, in code: flags, reasons and outcomes by name, and the schemas of its datasets."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.contracts.loader import enum
from fleet_health.contracts.schemas import plain_schema, stored_schema
from fleet_health.profiles.model import Profile

RANGE_VIOLATION = "RANGE_VIOLATION"
CLOCK_DRIFT = "CLOCK_DRIFT"
DUPLICATE_REMOVED = "DUPLICATE_REMOVED"
SENSOR_GAP = "SENSOR_GAP"
SUSPECT_VALUE = "SUSPECT_VALUE"
UNREADABLE_VALUE = "UNREADABLE_VALUE"
DEVICE_UNKNOWN = "DEVICE_UNKNOWN"
IMPOSSIBLE_ROW = "IMPOSSIBLE_ROW"
ALL_SENSORS_NULL = "ALL_SENSORS_NULL"

CLEAN_FLAGS = enum("clean_sensor_readings", "quality_flags")
QUARANTINE_REASONS = enum("quarantine_sensor_readings", "quarantine_reason")
UNREAD_REASONS = enum("malformed_messages", "reason")
DEAD_LETTER_REASONS = enum("dead_letter", "reason")
OUTCOMES = enum("row_conservation", "outcome")
RELEASED = "RELEASED"
MERGED = "MERGED"
NARROW_LINE = "NARROW_LINE"
DUPLICATE = "DUPLICATE"
DUPLICATE_EVENT_ID = "DUPLICATE_EVENT_ID"
SENSOR_REPEATED = "SENSOR_REPEATED"
ALL_DEVICES = "ALL"
PARTITION = ["date"]
"""UTC day of the reading; the folder in which a row lies, so that look-backs read days and not the history."""

DEAD_LETTER_SCHEMA = stored_schema("dead_letter")
CONSERVATION_SCHEMA = plain_schema("row_conservation")


def clean_schema(profile: Profile) -> T.StructType:
    """The columns of ``clean_sensor_readings`` and their day."""
    return stored_schema("clean_sensor_readings", profile)


def quarantine_schema(profile: Profile) -> T.StructType:
    """A clean row plus why it is held back, by which rule of the profile, and since when."""
    return stored_schema("quarantine_sensor_readings", profile)
