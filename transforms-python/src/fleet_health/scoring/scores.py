"""``model_scores``: every closed window of the model's length, scored on the executors in Arrow batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from fleet_health.contracts.conform import conform
from fleet_health.contracts.scores import SCORES_SCHEMA
from fleet_health.data_time import with_data_time
from fleet_health.ids import natural_key_id
from fleet_health.profiles.model import Profile

_CARRIED = ("device_id", "window_start", "window_end", "window_duration_minutes", "sensor_completeness")
_VERDICT = (
    "anomaly_score",
    "anomaly_flag",
    "threshold_used",
    "top_contributors",
    "contributor_scores",
    "imputed_feature_count",
)


class Scorer(Protocol):
    """What scoring needs of a loaded model: its frozen constants and a prediction that depends on each row alone."""

    constants: Any

    def predict(self, df_in: pd.DataFrame) -> pd.DataFrame: ...


def model_scores(features: DataFrame, model: Scorer, profile: Profile) -> DataFrame:
    """The rows of contract 5.

    Args:
        features: ``device_features``.
        model: the released model; shipped to the workers once per task.
        profile: completeness gate and window length.

    Returns:
        one row per device and closed window with ``sensor_completeness`` at or above the gate; ``scored_at`` is the
        newest ``computed_at`` of ``features``. Scores do not depend on partitioning or order.
    """
    constants = model.constants
    names = list(constants["feature_names"])
    rows = features.where(
        (F.col("window_duration_minutes") == int(constants["window_duration_minutes"]))
        & (F.col("sensor_completeness") >= profile.model.scoring_completeness_min.value)
    )
    columns = list(dict.fromkeys([*_CARRIED, *names]))
    schema = T.StructType([field for field in SCORES_SCHEMA if field.name in {*_CARRIED, *_VERDICT}])
    output = schema.fieldNames()

    def predict(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            yield model.predict(batch)[output]

    scored = rows.select(*columns).mapInPandas(predict, schema)
    natural = (
        "device_id",
        F.unix_micros("window_start"),
        F.unix_micros("window_end"),
        "model_id",
        "model_version",
        "granularity",
    )
    scored = scored.withColumns({key: F.lit(constants[key]) for key in ("model_id", "model_version", "granularity")})
    parts = [F.col(part) if isinstance(part, str) else part for part in natural]
    scored = scored.withColumn("score_id", natural_key_id("score", *parts))
    timed = with_data_time(scored, features, "scored_at", F.col("computed_at"))
    return conform(timed, SCORES_SCHEMA)
