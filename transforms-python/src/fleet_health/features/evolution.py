"""Rows that were written before a feature existed."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.features import features_schema
from fleet_health.profiles.model import Profile


def with_new_features(rows: DataFrame, profile: Profile) -> DataFrame:
    """Rows that were written before a feature existed, in today's shape: the feature is null, all else unchanged."""
    schema = features_schema(profile)
    known = set(rows.columns)
    absent = {name: F.lit(None) for name in schema.fieldNames() if name not in known}
    return conform(rows.withColumns(absent) if absent else rows, schema)
