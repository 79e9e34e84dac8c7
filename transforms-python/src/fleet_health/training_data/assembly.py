"""``training_data``: imputed vectors in the order of their names."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.training import TRAINING_SCHEMA
from fleet_health.data_time import with_data_time
from fleet_health.profiles.model import Profile

LABEL_DELAY_BUFFER_HOURS = 24


def frozen_medians(statistics: pd.DataFrame, profile: Profile) -> dict[str, float]:
    """Training medians in vector order; a feature that was never present has none and no place in the vector."""
    medians = statistics.set_index("feature_name")["training_p50"].dropna()
    return {name: float(medians[name]) for name in profile.model_features if name in medians.index}


def training_rows(
    eligible: DataFrame, features: DataFrame, medians: Mapping[str, float], snapshot_id: str
) -> DataFrame:
    """The rows of contract 3.5, without labels (phase 1 has none).

    Args:
        eligible: the windows that train, columns of ``device_features``.
        features: all of ``device_features``; its newest ``computed_at`` is the assembly time.
        medians: what a missing value becomes; its order is the order of the vector.
        snapshot_id: the transaction of ``device_features`` that was read.
    """
    vector = F.array(*(F.coalesce(F.col(name), F.lit(median)).cast("double") for name, median in medians.items()))
    nothing = F.lit(None).cast("string")
    rows = eligible.select(
        "device_id",
        "window_start",
        "window_end",
        "window_duration_minutes",
        vector.alias("feature_vector"),
        F.array(*(F.lit(name) for name in medians)).alias("feature_names"),
        nothing.alias("label"),
        nothing.alias("label_source"),
        F.lit(None).cast("timestamp").alias("label_timestamp"),
        F.lit(LABEL_DELAY_BUFFER_HOURS).alias("label_delay_buffer_hours"),
        F.lit(snapshot_id).alias("snapshot_id"),
        "sensor_completeness",
    )
    timed = with_data_time(rows, features, "assembled_at", F.col("computed_at"))
    return conform(timed, TRAINING_SCHEMA).orderBy("device_id", "window_start")
