"""Shape of ``scoring_run_metrics`` (contract M8) with what decides about the fallback."""

from __future__ import annotations

from pyspark.sql import types as T

SUCCEEDED = "SUCCEEDED"
FAILED = "FAILED"
SKIPPED_STALE_FEATURES = "SKIPPED_STALE_FEATURES"
FALLBACK = "FALLBACK"
RUN_OUTCOMES = (SUCCEEDED, FAILED, SKIPPED_STALE_FEATURES, FALLBACK)

STARTED = "STARTED"
ENDED = "ENDED"
SWITCHES = (STARTED, ENDED)
BANDS = ("FRESH", "STALE", "VERY_STALE", "EXPIRED")

RUNS_SCHEMA = T.StructType(
    [
        T.StructField("run_id", T.StringType()),
        T.StructField("model_id", T.StringType()),
        T.StructField("model_version", T.StringType()),
        T.StructField("scheduled_at", T.TimestampType()),
        T.StructField("started_at", T.TimestampType()),
        T.StructField("finished_at", T.TimestampType()),
        T.StructField("features_available_at", T.TimestampType()),
        T.StructField("outcome", T.StringType()),
        T.StructField("devices_eligible", T.LongType()),
        T.StructField("devices_scored", T.LongType()),
        T.StructField("rows_scored", T.LongType()),
        T.StructField("excluded_low_completeness", T.LongType()),
        T.StructField("excluded_unimputable", T.LongType()),
        T.StructField("excluded_dropout", T.LongType()),
        T.StructField("devices_per_minute", T.DoubleType()),
        T.StructField("score_age_minutes", T.DoubleType()),
        T.StructField("features_age_minutes", T.DoubleType()),
        T.StructField("band", T.StringType()),
        T.StructField("fallback_switch", T.StringType()),
        T.StructField("page", T.BooleanType()),
        T.StructField("scored_through", T.TimestampType()),
    ]
)
