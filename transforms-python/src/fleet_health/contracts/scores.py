"""``model_scores`` and ``detection_report`` in code."""

from __future__ import annotations

from fleet_health.contracts.schemas import plain_schema

SCORES_SCHEMA = plain_schema("model_scores")
DETECTION_SCHEMA = plain_schema("detection_report")
