"""``device_features``, the versions it is chosen from, and the runs that write them, in code."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.contracts.schemas import COUNTS, plain_schema, schema_of, stored_schema
from fleet_health.profiles.model import Profile

__all__ = ["COUNTS", "PARTITION", "RUNS_SCHEMA", "chosen_schema", "features_schema", "write_options"]

PARTITION = ["date"]
"""UTC day on which a window of ``device_features`` begins; the folder in which its row lies."""

RUNS_SCHEMA = plain_schema("feature_runs")


def features_schema(profile: Profile) -> T.StructType:
    """Key, every feature in the profile's order, and the instant at which the row could first be known."""
    return schema_of("device_features", profile)


def chosen_schema(profile: Profile) -> T.StructType:
    """The columns of ``device_features``: :func:`features_schema` and the day."""
    return stored_schema("device_features", profile)


def write_options(profile: Profile) -> dict[str, str]:
    """How Parquet keeps features: plainly. Their values hardly repeat, and to look for repetitions costs a third."""
    features = {feature.name for feature in profile.features}
    others = [name for name in features_schema(profile).fieldNames() if name not in features]
    return {"parquet.enable.dictionary": "false"} | {f"parquet.enable.dictionary#{name}": "true" for name in others}
