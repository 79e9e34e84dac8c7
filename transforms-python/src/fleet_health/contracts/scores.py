"""Shape of ``model_scores`` (contract 5) and ``detection_report``."""

from __future__ import annotations

from pyspark.sql import types as T

SCORES_SCHEMA = T.StructType(
    [
        T.StructField("score_id", T.StringType()),
        T.StructField("device_id", T.StringType()),
        T.StructField("window_start", T.TimestampType()),
        T.StructField("window_end", T.TimestampType()),
        T.StructField("window_duration_minutes", T.IntegerType()),
        T.StructField("model_id", T.StringType()),
        T.StructField("model_version", T.StringType()),
        T.StructField("granularity", T.StringType()),
        T.StructField("anomaly_score", T.DoubleType()),
        T.StructField("anomaly_flag", T.BooleanType()),
        T.StructField("threshold_used", T.DoubleType()),
        T.StructField("top_contributors", T.ArrayType(T.StringType())),
        T.StructField("contributor_scores", T.ArrayType(T.DoubleType())),
        T.StructField("scored_at", T.TimestampType()),
        T.StructField("sensor_completeness", T.DoubleType()),
        T.StructField("imputed_feature_count", T.IntegerType()),
    ]
)

DETECTION_SCHEMA = T.StructType(
    [
        T.StructField("device_id", T.StringType()),
        T.StructField("unit", T.StringType()),
        T.StructField("fault_count", T.LongType()),
        T.StructField("fault_free_count", T.LongType()),
        T.StructField("training_days_left_out", T.LongType()),
        T.StructField("uncertain_days_left_out", T.LongType()),
        T.StructField("auc", T.DoubleType()),
        T.StructField("fault_score_mean", T.DoubleType()),
        T.StructField("fault_free_score_mean", T.DoubleType()),
        T.StructField("model_id", T.StringType()),
        T.StructField("model_version", T.StringType()),
        T.StructField("computed_at", T.TimestampType()),
    ]
)
