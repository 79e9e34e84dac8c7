"""``model_release_config`` in code, with the roles a version can have."""

from __future__ import annotations

from fleet_health.contracts.schemas import plain_schema

CHAMPION = "champion"
CHALLENGER = "challenger"
SHADOW = "shadow"
CANARY_LIVE = "canary_live"

ROLLBACK = "rollback"
"""With what the reason of a decision begins that takes a version back."""

RELEASES_SCHEMA = plain_schema("model_release_config")
