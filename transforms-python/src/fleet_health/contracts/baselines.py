"""``feature_baselines`` and ``feature_definitions`` in code."""

from __future__ import annotations

from fleet_health.contracts.schemas import plain_schema

BASELINES_SCHEMA = plain_schema("feature_baselines")
BASELINE_KEY = (
    "feature_name",
    "granularity",
    "cohort_id",
    "device_id",
    "computed_at",
    "window_duration_minutes",
    "model_id",
    "model_version",
)

DEFINITIONS_SCHEMA = plain_schema("feature_definitions")
