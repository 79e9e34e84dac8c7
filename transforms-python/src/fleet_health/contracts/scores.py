"""``model_scores``, what stands beside them, and ``detection_report`` in code."""

from __future__ import annotations

from fleet_health.contracts.schemas import plain_schema

SCORES_SCHEMA = plain_schema("model_scores")
SHADOW_SCHEMA = plain_schema("shadow_model_scores")
COMPARISON_SCHEMA = plain_schema("canary_comparison")
DETECTION_SCHEMA = plain_schema("detection_report")
