"""``scoring_run_metrics`` in code, with what decides about the fallback."""

from __future__ import annotations

from fleet_health.contracts.schemas import plain_schema

SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
SKIPPED_STALE_FEATURES = "SKIPPED_STALE_FEATURES"
FALLBACK = "FALLBACK"
STARTED = "STARTED"
ENDED = "ENDED"

RUNS_SCHEMA = plain_schema("scoring_run_metrics")
