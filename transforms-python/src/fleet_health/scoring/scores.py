"""``model_scores``: every vector of ``model_input``, scored on the executors in Arrow batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Protocol

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from fleet_health.contracts.conform import conform
from fleet_health.contracts.scores import SCORES_SCHEMA
from fleet_health.data_time import with_data_time
from fleet_health.ids import natural_key_id
from fleet_health.model_input.vectors import refuse_other_order, refuse_other_version

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


def model_scores(model_input: DataFrame, features: DataFrame, model: Scorer) -> DataFrame:
    """The rows of contract 5.

    Args:
        model_input: complete vectors, prepared for the released model.
        features: ``device_features``, for the data time alone.
        model: the released model; shipped to the workers once per task.

    Returns:
        one row per vector; ``scored_at`` is the newest ``computed_at`` of ``features``. Scores do not depend on
        partitioning or order.

    Raises:
        FeatureOrderError: (when computed) a vector holds other features than the model's, or in another order.
        WrongVersionError: (when computed) a vector was filled for another version.
    """
    constants = model.constants
    names, model_id = list(constants["feature_names"]), str(constants["model_id"])
    schema = T.StructType([field for field in SCORES_SCHEMA if field.name in {*_CARRIED, *_VERDICT}])
    output = schema.fieldNames()

    def predict(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            if not len(batch):
                continue
            for listed in {tuple(one) for one in batch["feature_names"]}:
                refuse_other_order(model_id, names, listed)
            for filled_for in batch["model_version"].unique():
                refuse_other_version(model_id, str(constants["model_version"]), str(filled_for))
            values = pd.DataFrame(np.vstack(batch["feature_vector"].tolist()), columns=names, index=batch.index)
            carried = batch.drop(columns=[*names, "feature_vector", "feature_names", "model_version"], errors="ignore")
            verdict = model.predict(pd.concat([carried, values], axis=1))
            # the model sees no gap any more; how many there were was counted when they were filled
            yield verdict.assign(**{name: batch[name] for name in (*_CARRIED, "imputed_feature_count")})[output]

    length = F.lit(int(constants["window_duration_minutes"])).alias("window_duration_minutes")
    rows = model_input.select(
        *(name for name in _CARRIED if name != "window_duration_minutes"),
        length,
        "feature_vector",
        "feature_names",
        "model_version",
        "imputed_feature_count",
    )
    scored = rows.mapInPandas(predict, schema)
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
