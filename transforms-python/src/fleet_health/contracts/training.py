"""``training_data``, ``training_exclusions`` and ``training_statistics`` in code."""

from __future__ import annotations

from fleet_health.contracts.schemas import plain_schema

TRAINING_SCHEMA = plain_schema("training_data")
STATISTICS_SCHEMA = plain_schema("training_statistics")
TRAINING_EXCLUSIONS_SCHEMA = plain_schema("training_exclusions")

ANY = "ANY"
OTHER_DAY = "NOT_A_TRAINING_DAY"
OUTSIDE_SPLIT = "OUTSIDE_SPLIT"
NOT_DRAWN = "NOT_DRAWN"
NO_CANDIDATES = (OTHER_DAY, OUTSIDE_SPLIT, NOT_DRAWN)
"""Windows that nobody wanted: they are counted, and no filter is to blame for them."""
EXCLUSION_REASONS = (
    "FEATURE_NOT_AVAILABLE",
    "SENSOR_COMPLETENESS",
    "READING_COUNT",
    "QUALITY_FLAGS",
    "KNOWN_OUTAGE",
    "FIRMWARE_ROLLOUT",
    "AFTER_MAINTENANCE",
    "NOTHING_TO_FILL_WITH",
)
"""In the order in which they are looked for; a window counts for the first that applies."""
