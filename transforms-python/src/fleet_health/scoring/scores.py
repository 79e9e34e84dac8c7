"""``model_scores``: vectors to scores on the executors, in Arrow batches; nothing is collected."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from fleet_health.contracts.conform import conform
from fleet_health.contracts.scores import SCORES_SCHEMA
from fleet_health.data_time import with_data_time
from fleet_health.model_input.vectors import features_id
from fleet_health.scoring.same_days import of_the_same_days
from fleet_health.scoring.verdicts import VERDICT, VectorModel, blocks, verdicts

_CARRIED = ("device_id", "window_start", "window_end", "sensor_completeness", "imputed_feature_count")
_WINDOW = ("device_id", "window_start", "window_end")


def unscored(vectors: DataFrame, before: DataFrame, model: VectorModel) -> DataFrame:
    """The vectors whose windows this version has not scored yet, whenever they arrived.

    Args:
        vectors: rows of ``model_input``.
        before: scores so far, of any version; read on the days of ``vectors`` alone.
        model: the version that is to score.
    """
    own = [F.col(name) == F.lit(str(model.constants[name])) for name in ("model_id", "model_version", "granularity")]
    near = of_the_same_days(before, vectors)
    known = near.where(own[0] & own[1] & own[2]).select(*_WINDOW)
    return vectors.join(known, list(_WINDOW), "left_anti")


def model_scores(model_input: DataFrame, features: DataFrame, model: VectorModel) -> DataFrame:
    """The rows of contract 5.

    Args:
        model_input: complete vectors, prepared for ``model``.
        features: ``device_features``, for the data time alone.
        model: the version that scores; sent to each worker once, however many tasks it runs.

    Returns:
        one row per vector whose window is closed; ``scored_at`` is the newest ``computed_at`` of ``features``. Scores
        do not depend on partitioning or order.

    Raises:
        OtherFeaturesError, WrongVersionError, NotANumberError, ScoringError: (when computed) see
            :func:`~fleet_health.scoring.verdicts.verdicts`.
    """
    constants = model.constants
    threshold = F.lit(float(constants["threshold"]))
    filled = {
        **{name: F.lit(str(constants[name])) for name in ("model_id", "model_version", "granularity")},
        "window_duration_minutes": F.lit(int(constants["window_duration_minutes"])),
        "threshold_used": threshold,
        "anomaly_flag": F.col("anomaly_score") > threshold,
    }
    timed = with_data_time(_judged(model_input, model), features, "scored_at", F.col("computed_at"))
    scored = timed.where(F.col("window_end") <= F.col("scored_at")).withColumns(filled)
    return conform(scored, SCORES_SCHEMA)


def _judged(vectors: DataFrame, model: VectorModel) -> DataFrame:
    """What every row says of itself is compared where it lies, and travels only where it differs."""
    features = F.lit(features_id(str(name) for name in model.constants["feature_names"]))
    version = F.lit(str(model.constants["model_version"]))
    rows = vectors.select(
        *_CARRIED,
        F.col("cohort_id"),
        F.col("feature_vector"),
        F.when(~F.col("features_id").eqNullSafe(features), F.col("features_id")).alias("other_features"),
        F.when(~F.col("model_version").eqNullSafe(version), F.col("model_version")).alias("other_version"),
    )
    carried = [rows.schema[name] for name in _CARRIED]
    shipped = vectors.sparkSession.sparkContext.broadcast(model)

    def judge(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for block in blocks(batches):
            yield verdicts(block, shipped.value, _CARRIED)

    return rows.mapInArrow(judge, T.StructType([*carried, *VERDICT]))
