"""``training_data`` and ``training_statistics`` in code."""

from __future__ import annotations

from fleet_health.contracts.schemas import plain_schema

TRAINING_SCHEMA = plain_schema("training_data")
STATISTICS_SCHEMA = plain_schema("training_statistics")
