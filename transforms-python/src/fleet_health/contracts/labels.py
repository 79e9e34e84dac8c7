"""Shape of ``label_events``."""

from __future__ import annotations

from pyspark.sql import types as T

LABEL_SCHEMA = T.StructType(
    [
        T.StructField("device_id", T.StringType()),
        T.StructField("event_timestamp", T.TimestampType()),
        T.StructField("label_type", T.StringType()),
        T.StructField("label_source", T.StringType()),
        T.StructField("label_confidence", T.DoubleType()),
        T.StructField("labeled_at", T.TimestampType()),
        T.StructField("alert_id", T.StringType()),
        T.StructField("failure_mode", T.StringType()),
        T.StructField("notes", T.StringType()),
    ]
)
LABEL_TYPES = ("failure_confirmed", "anomaly_confirmed", "false_positive", "planned_maintenance", "normal_operation")
LABEL_SOURCES = ("field_engineer", "maintenance_system", "operator_feedback", "automated_heuristic")
