"""``model_input`` and ``model_input_exclusions`` in code."""

from __future__ import annotations

from fleet_health.contracts.loader import enum
from fleet_health.contracts.schemas import plain_schema

MODEL_INPUT_SCHEMA = plain_schema("model_input")
EXCLUSIONS_SCHEMA = plain_schema("model_input_exclusions")
REASONS = enum("model_input_exclusions", "reason")
