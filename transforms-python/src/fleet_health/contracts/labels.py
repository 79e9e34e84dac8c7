"""``label_events`` in code."""

from __future__ import annotations

from fleet_health.contracts.loader import enum
from fleet_health.contracts.schemas import plain_schema

LABEL_SCHEMA = plain_schema("label_events")
LABEL_TYPES = enum("label_events", "label_type")
MAINTENANCE = ("failure_confirmed", "planned_maintenance")
"""Types after which somebody worked on the unit."""
MAINTENANCE_SYSTEM = "maintenance_system"
"""The source that knows on which day something was done, and no time: its events begin that day."""
LABEL_SOURCES = enum("label_events", "label_source")
