"""Shape of ``training_data`` (contract 3.5), ``training_exclusions`` and ``training_statistics`` (contract 3c)."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.contracts.checks import in_set, primary_key, schema_equals
from transforms import expectations as E
from transforms.api import Check

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
        T.StructField("cohort_medians", T.MapType(T.StringType(), T.DoubleType())),
        T.StructField("training_row_count", T.LongType()),
        T.StructField("training_device_count", T.IntegerType()),
        T.StructField("snapshot_id", T.StringType()),
        T.StructField("training_window_start", T.TimestampType()),
        T.StructField("training_window_end", T.TimestampType()),
    ]
)

ANY = "ANY"
OTHER_DAY = "NOT_A_TRAINING_DAY"
EXCLUSION_REASONS = (
    "FEATURE_NOT_AVAILABLE",
    "SENSOR_COMPLETENESS",
    "READING_COUNT",
    "QUALITY_FLAGS",
    "NOTHING_TO_FILL_WITH",
)
"""In the order in which they are looked for; a window counts for the first that applies."""
EXCLUDED_SHARE_MAX = 0.20

TRAINING_EXCLUSIONS_SCHEMA = T.StructType(
    [
        T.StructField("snapshot_id", T.StringType()),
        T.StructField("assembled_at", T.TimestampType()),
        T.StructField("reason", T.StringType()),
        T.StructField("rows", T.LongType()),
        T.StructField("candidate_rows", T.LongType()),
        T.StructField("share", T.DoubleType()),
    ]
)


def training_exclusion_checks() -> list[Check]:
    few = E.any(E.negate(E.col("reason").equals(ANY)), E.col("share").lte(EXCLUDED_SHARE_MAX))
    return [
        schema_equals("TRX-00", TRAINING_EXCLUSIONS_SCHEMA),
        primary_key("TRX-01", ["snapshot_id", "assembled_at", "reason"], "a reason is counted once"),
        in_set("TRX-02", "reason", (*EXCLUSION_REASONS, OTHER_DAY, ANY), "closed list"),
        Check(
            few,
            f"TRN-09 at most {EXCLUDED_SHARE_MAX:.0%} of the candidates are left out",
            on_error="WARN",
            description="filters that take more than that take normal operation too",
        ),
    ]
