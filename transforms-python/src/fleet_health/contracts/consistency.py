"""``consistency_check_metrics``, ``device_properties`` and ``label_join_integrity`` in code."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.contracts.schemas import plain_schema, schema_of
from fleet_health.profiles.model import Profile

OFFLINE_VS_MODEL_INPUT = "offline_vs_model_input"
OFFLINE_VS_ONTOLOGY = "offline_vs_ontology"

CONSISTENCY_SCHEMA = plain_schema("consistency_check_metrics")
INTEGRITY_SCHEMA = plain_schema("label_join_integrity")


def properties_schema(profile: Profile) -> T.StructType:
    """The device, its declared properties in order, and the data time they were refreshed at."""
    return schema_of("device_properties", profile)
