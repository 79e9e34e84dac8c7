"""Shape of ``pipeline_health_metrics`` (contract M7), ``feature_drift_metrics`` (M3) and ``quality_alerts``."""

from __future__ import annotations

from pyspark.sql import types as T

STATUSES = ("OK", "WARN", "BREACH", "UNKNOWN")
DRIFT_SEVERITIES = ("none", "moderate", "significant", "emergency")

HEALTH_SCHEMA = T.StructType(
    [
        T.StructField("measured_at", T.TimestampType()),
        T.StructField("metric_id", T.StringType()),
        T.StructField("dataset_name", T.StringType()),
        T.StructField("dimension", T.StringType()),
        T.StructField("value", T.DoubleType()),
        T.StructField("expected_value", T.DoubleType()),
        T.StructField("threshold", T.DoubleType()),
        T.StructField("status", T.StringType()),
        T.StructField("severity", T.StringType()),
    ]
)

DRIFT_SCHEMA = T.StructType(
    [
        T.StructField("scoring_window_start", T.TimestampType()),
        T.StructField("feature_name", T.StringType()),
        T.StructField("window_duration_minutes", T.IntegerType()),
        T.StructField("slice_name", T.StringType()),
        T.StructField("slice_value", T.StringType()),
        T.StructField("model_id", T.StringType()),
        T.StructField("model_version", T.StringType()),
        T.StructField("ks_statistic", T.DoubleType()),
        T.StructField("ks_p_value", T.DoubleType()),
        T.StructField("psi_value", T.DoubleType()),
        T.StructField("kl_divergence", T.DoubleType()),
        T.StructField("mean_shift_sigma", T.DoubleType()),
        T.StructField("out_of_range_fraction", T.DoubleType()),
        T.StructField("null_rate_delta", T.DoubleType()),
        T.StructField("current_mean", T.DoubleType()),
        T.StructField("current_std", T.DoubleType()),
        T.StructField("current_row_count", T.LongType()),
        T.StructField("drift_severity", T.StringType()),
        T.StructField("computed_at", T.TimestampType()),
    ]
)

QUALITY_ALERTS_SCHEMA = T.StructType(
    [
        T.StructField("metric_id", T.StringType()),
        T.StructField("family", T.StringType()),
        T.StructField("dataset", T.StringType()),
        T.StructField("dimension", T.StringType()),
        T.StructField("severity", T.StringType()),
        T.StructField("observed", T.DoubleType()),
        T.StructField("threshold", T.DoubleType()),
        T.StructField("reason", T.StringType()),
        T.StructField("owner", T.StringType()),
        T.StructField("rotation", T.StringType()),
        T.StructField("channel", T.StringType()),
        T.StructField("escalation", T.StringType()),
        T.StructField("runbook_id", T.StringType()),
        T.StructField("runbook_step", T.StringType()),
        T.StructField("raised_at", T.TimestampType()),
    ]
)
