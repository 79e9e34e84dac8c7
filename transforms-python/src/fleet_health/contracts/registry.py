"""``device_registry`` in code."""

from __future__ import annotations

from fleet_health.contracts.schemas import plain_schema

REGISTRY_SCHEMA = plain_schema("device_registry")
