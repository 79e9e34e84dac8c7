"""``consistency_check_metrics``: whether stored features, model input and device properties tell the same values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.consistency import CONSISTENCY_SCHEMA, OFFLINE_VS_MODEL_INPUT, OFFLINE_VS_ONTOLOGY
from fleet_health.data_time import with_data_time
from fleet_health.profiles.model import Profile

PAIRS = 1000
TOLERANCE = 1e-6
RELATIVE = 0.05
_DAY = 86_400
_KEYS = "device_id string, window_start timestamp"


def drawn_pairs(model_input: DataFrame, seed: int, pairs: int = PAIRS) -> DataFrame:
    """``pairs`` vectors of the newest day, the same ones for the same seed whatever the partitions.

    The newest day is the UTC day in which the newest window starts.
    """
    start = F.unix_timestamp("window_start")
    timed = with_data_time(model_input, model_input, "_newest", F.col("window_start"))
    newest = timed.where(F.floor(start / _DAY) == F.floor(F.unix_timestamp("_newest") / _DAY)).drop("_newest")
    lot = F.xxhash64(F.lit(seed), F.col("device_id"), F.unix_micros("window_start"))
    return newest.orderBy(lot, "device_id", "window_start").limit(pairs)


def offline_vs_model_input(features: DataFrame, model_input: DataFrame, profile: Profile) -> pd.DataFrame:
    """Draws :data:`PAIRS` vectors and looks their values up again in the feature rows.

    Args:
        features: ``device_features``.
        model_input: the vectors; unscaled, so the values must be the same.
        profile: names the length of the windows and the seed.

    Returns:
        per feature: pairs, mismatches and the largest difference. A value that was missing in the window was filled and
        is not compared; a vector without its window is a mismatch of all its values.
    """
    drawn = drawn_pairs(model_input, profile.model.seed)
    # a thousand pairs at most: that many are drawn
    pairs = drawn.select("device_id", "window_start", "feature_vector", "feature_names").toPandas()
    if not len(pairs):
        return _table([])
    names = [str(name) for name in pairs["feature_names"].iloc[0]]
    keys = features.sparkSession.createDataFrame(pairs[["device_id", "window_start"]], _KEYS)
    stored = features.where(F.col("window_duration_minutes") == profile.model.window_duration_minutes).select(
        "device_id",
        "window_start",
        F.lit(True).alias("_stored"),
        *(F.col(name).cast("double").alias(f"_{name}") for name in names),
    )
    # the same thousand pairs
    found = stored.join(F.broadcast(keys), ["device_id", "window_start"]).toPandas()
    rows = pairs.merge(found, "left", ["device_id", "window_start"])
    served = np.vstack(rows["feature_vector"].tolist())
    kept = rows[[f"_{name}" for name in names]].to_numpy(dtype=np.float64, na_value=np.nan)
    lost = rows["_stored"].isna().to_numpy()
    difference = np.abs(served - kept)
    made = []
    for place, name in enumerate(names):
        comparable = ~np.isnan(kept[:, place])
        apart = difference[comparable, place]
        wrong = int((apart > TOLERANCE).sum() + lost.sum())
        made.append((name, int(comparable.sum() + lost.sum()), wrong, float(apart.max()) if len(apart) else None))
    return _table(made)


def _table(made: list[Any]) -> pd.DataFrame:
    return pd.DataFrame(made, columns=["feature_name", "pairs_compared", "mismatches", "max_abs_diff"])


def offline_vs_ontology(features: DataFrame, properties: DataFrame, profile: Profile) -> DataFrame:
    """Compares each device's properties with the features of its newest window.

    Returns:
        ``feature_name`` (the property), ``pairs_compared`` (devices), ``mismatches`` (more than 5 percent apart,
        relative to the feature; or one of both is null) and ``max_abs_diff``. A property that shows a score is no
        feature.
    """
    shown = [one for one in profile.properties if one.feature is not None]
    newest = F.unix_micros("window_end")
    values = [
        F.max_by(
            F.struct(F.col(str(one.feature)).cast("double").alias("value")),
            F.when(F.col("window_duration_minutes") == F.lit(one.window_duration_minutes), newest),
        )["value"].alias(f"_{one.name}")
        for one in shown
    ]
    offline = features.groupBy("device_id").agg(F.count(F.lit(1)).alias("_windows"), *values)
    both = offline.join(properties.select("device_id", *(one.name for one in shown)), "device_id", "left")
    measured = []
    for one in shown:
        stored, seen = F.col(f"_{one.name}"), F.col(one.name)
        apart = F.abs(stored - seen)
        wrong = F.when(stored.isNull() | seen.isNull(), ~stored.eqNullSafe(seen)).otherwise(
            apart > RELATIVE * F.abs(stored)
        )
        counted = stored.isNotNull() | seen.isNotNull()
        measured.append(
            F.struct(
                F.lit(one.name).alias("feature_name"),
                F.count(F.when(counted, 1)).alias("pairs_compared"),
                F.count(F.when(wrong, 1)).alias("mismatches"),
                F.max(apart).alias("max_abs_diff"),
            )
        )
    return both.agg(F.explode(F.array(*measured)).alias("one")).select("one.*")


def consistency_metrics(rows: DataFrame, check_id: str, features: DataFrame) -> DataFrame:
    """The rows of contract M11, at the data time of ``features``; nothing compared means no row."""
    compared = rows.where("pairs_compared > 0").withColumns(
        {
            "check_id": F.lit(check_id),
            "mismatch_rate": F.col("mismatches") / F.col("pairs_compared"),
            "sync_lag_minutes": F.lit(None).cast("double"),
        }
    )
    return conform(with_data_time(compared, features, "checked_at", F.col("computed_at")), CONSISTENCY_SCHEMA)


def consistency(
    features: DataFrame, model_input: DataFrame, properties: DataFrame | None, profile: Profile
) -> DataFrame:
    """Both checks together; the second only where the profile declares properties."""
    spark = features.sparkSession
    served = offline_vs_model_input(features, model_input, profile)
    schema = "feature_name string, pairs_compared long, mismatches long, max_abs_diff double"
    rows = consistency_metrics(spark.createDataFrame(served, schema), OFFLINE_VS_MODEL_INPUT, features)
    if properties is None or not any(one.feature for one in profile.properties):
        return rows
    shown = offline_vs_ontology(features, properties, profile)
    return rows.unionByName(consistency_metrics(shown, OFFLINE_VS_ONTOLOGY, features))
