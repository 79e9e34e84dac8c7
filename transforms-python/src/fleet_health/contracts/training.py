"""Shape of ``training_data`` (contract 3.5) and ``training_statistics`` (contract 3c)."""

from __future__ import annotations

from pyspark.sql import types as T

_DOUBLES = T.ArrayType(T.DoubleType())

TRAINING_SCHEMA = T.StructType(
    [
        T.StructField("device_id", T.StringType()),
        T.StructField("window_start", T.TimestampType()),
        T.StructField("window_end", T.TimestampType()),
        T.StructField("window_duration_minutes", T.IntegerType()),
        T.StructField("feature_vector", _DOUBLES),
        T.StructField("feature_names", T.ArrayType(T.StringType())),
        T.StructField("label", T.StringType()),
        T.StructField("label_source", T.StringType()),
        T.StructField("label_timestamp", T.TimestampType()),
        T.StructField("label_delay_buffer_hours", T.IntegerType()),
        T.StructField("snapshot_id", T.StringType()),
        T.StructField("sensor_completeness", T.DoubleType()),
        T.StructField("assembled_at", T.TimestampType()),
    ]
)

_STATISTICS = (
    "training_mean",
    "training_stddev",
    "training_min",
    "training_max",
    "training_p0_1",
    "training_p99_9",
    "training_null_rate",
    "training_p05",
    "training_p25",
    "training_p50",
    "training_mad",
    "training_p75",
    "training_p95",
)

STATISTICS_SCHEMA = T.StructType(
    [
        T.StructField("model_id", T.StringType()),
        T.StructField("model_version", T.StringType()),
        T.StructField("feature_name", T.StringType()),
        T.StructField("window_duration_minutes", T.IntegerType()),
        *(T.StructField(name, T.DoubleType()) for name in _STATISTICS),
        T.StructField("bin_edges", _DOUBLES),
        T.StructField("bin_fractions", _DOUBLES),
        T.StructField("training_row_count", T.LongType()),
        T.StructField("training_device_count", T.IntegerType()),
        T.StructField("snapshot_id", T.StringType()),
        T.StructField("training_window_start", T.TimestampType()),
        T.StructField("training_window_end", T.TimestampType()),
    ]
)
