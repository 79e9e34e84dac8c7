"""``device_alerts`` in code: its schema, severities from mild to severe, and what one device's state machine emits."""

from __future__ import annotations

from pyspark.sql import types as T

from fleet_health.contracts.loader import enum
from fleet_health.contracts.schemas import plain_schema

SEVERITIES = enum("device_alerts", "severity")
ALERTS_SCHEMA = plain_schema("device_alerts")

# What the state machine of one device emits; the rest of the contract is added around it.
EVENT_SCHEMA = T.StructType(
    [
        ALERTS_SCHEMA["device_id"],
        T.StructField("window_duration_minutes", T.IntegerType()),
        *(
            ALERTS_SCHEMA[name]
            for name in (
                "window_end",
                "model_id",
                "alert_type",
                "severity",
                "anomaly_score",
                "top_contributors",
                "first_detected_at",
                "suppressed",
            )
        ),
    ]
)
