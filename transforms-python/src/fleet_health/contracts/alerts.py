"""Shape of ``device_alerts`` (contract 6)."""

from __future__ import annotations

from pyspark.sql import types as T

ALERT_TYPES = ("ANOMALY_DETECTED", "ANOMALY_SUSTAINED", "ANOMALY_ESCALATED", "ANOMALY_RESOLVED")
SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")
STATUSES = ("OPEN", "ACKNOWLEDGED", "IN_PROGRESS", "RESOLVED", "FALSE_POSITIVE")
LEVELS = ("L1", "L2", "L3")

# What the state machine of one device emits; the rest of the contract is added around it.
EVENT_SCHEMA = T.StructType(
    [
        T.StructField("device_id", T.StringType()),
        T.StructField("window_duration_minutes", T.IntegerType()),
        T.StructField("window_end", T.TimestampType()),
        T.StructField("model_id", T.StringType()),
        T.StructField("alert_type", T.StringType()),
        T.StructField("severity", T.StringType()),
        T.StructField("anomaly_score", T.DoubleType()),
        T.StructField("top_contributors", T.ArrayType(T.StringType())),
        T.StructField("first_detected_at", T.TimestampType()),
        T.StructField("suppressed", T.BooleanType()),
    ]
)

ALERTS_SCHEMA = T.StructType(
    [
        T.StructField("alert_id", T.StringType()),
        T.StructField("device_id", T.StringType()),
        T.StructField("site_id", T.StringType()),
        T.StructField("alert_type", T.StringType()),
        T.StructField("severity", T.StringType()),
        T.StructField("title", T.StringType()),
        T.StructField("description", T.StringType()),
        T.StructField("model_id", T.StringType()),
        T.StructField("anomaly_score", T.DoubleType()),
        T.StructField("top_contributors", T.ArrayType(T.StringType())),
        T.StructField("first_detected_at", T.TimestampType()),
        T.StructField("alert_created_at", T.TimestampType()),
        T.StructField("suppressed", T.BooleanType()),
        T.StructField("ontology_action_id", T.StringType()),
        T.StructField("status", T.StringType()),
        T.StructField("resolved_at", T.TimestampType()),
        T.StructField("escalation_level", T.StringType()),
        T.StructField("sla_deadline", T.TimestampType()),
        T.StructField("sla_breached", T.BooleanType()),
        T.StructField("window_end", T.TimestampType()),
    ]
)
