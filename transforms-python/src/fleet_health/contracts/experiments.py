"""Experiments in code: ``experiment_runs``, ``_trainings``, ``_log`` and ``_metrics``, and their words."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.contracts.schemas import plain_schema, schema_of
from fleet_health.profiles.model import Profile

RUNS_SCHEMA = plain_schema("experiment_runs")
TRAININGS_SCHEMA = plain_schema("experiment_trainings")
LOG_SCHEMA = plain_schema("experiment_log")
METRICS_SCHEMA = plain_schema("experiment_metrics")

COMPLETED, FAILED, PROMOTED, ROLLED_BACK = "completed", "failed", "promoted", "rolled_back"
MODEL_TYPES = {
    "isolation_forest": "isolation_forest",
    "statistical_baseline": "zscore",
    "autoencoder": "autoencoder",
    "dbscan_cohort": "dbscan",
}
"""What the log calls each family."""
FOLD = "_fold_"
"""Between the name of a figure and the number of the fold it was measured in."""


def regression_schema(profile: Profile) -> T.StructType:
    """Windows in the shape of ``device_features``, with what is odd about them."""
    return schema_of("regression_test_features", profile)
