"""``device_features`` in code."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.contracts.schemas import COUNTS, schema_of
from fleet_health.profiles.model import Profile

__all__ = ["COUNTS", "features_schema"]


def features_schema(profile: Profile) -> T.StructType:
    """Key, every feature in the profile's order, and when the row could first be known."""
    return schema_of("device_features", profile)
