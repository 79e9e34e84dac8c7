"""Rows that were written before a feature existed."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.features import features_schema
from fleet_health.profiles.model import Profile


def with_new_features(rows: DataFrame, profile: Profile) -> DataFrame:
    """Rows that were written before a feature existed, in today's shape: the feature is null, all else unchanged."""
    schema = features_schema(profile)
    known = set(rows.columns)
    return rows.select(
        *(
            (F.col(field.name) if field.name in known else F.lit(None)).cast(field.dataType).alias(field.name)
            for field in schema
        )
    )
