"""The datasets about the pipeline itself, in code."""

from __future__ import annotations

from fleet_health.contracts.schemas import plain_schema

HEALTH_SCHEMA = plain_schema("pipeline_health_metrics")
DRIFT_SCHEMA = plain_schema("feature_drift_metrics")
QUALITY_ALERTS_SCHEMA = plain_schema("quality_alerts")
