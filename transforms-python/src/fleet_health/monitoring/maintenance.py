"""``maintenance_events``: work orders with what the first model said of the unit before and after."""

from __future__ import annotations

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from fleet_health.contracts.conform import conform
from fleet_health.contracts.schemas import plain_schema
from fleet_health.ingestion.work_orders import BEGINS, ENDS

MAINTENANCE_SCHEMA = plain_schema("maintenance_events")
_SCORES = ("pre_maintenance_anomaly_score", "post_maintenance_anomaly_score")
_ORDERS = T.StructType(
    [
        *(field for field in MAINTENANCE_SCHEMA if field.name not in _SCORES),
        *(T.StructField(name, T.TimestampType()) for name in (BEGINS, ENDS)),
    ]
)


def maintenance_events(orders: pd.DataFrame, scores: DataFrame) -> DataFrame:
    """The rows of contract X1.

    Args:
        orders: see :func:`~fleet_health.ingestion.work_orders.work_orders`; they are few.
        scores: ``model_scores``; where a window was scored twice, the later score counts.
    """
    listed = scores.sparkSession.createDataFrame(orders[_ORDERS.fieldNames()].astype(object), _ORDERS)
    days = F.broadcast(listed.where(F.col(BEGINS).isNotNull()).select("event_id", "device_id", BEGINS, ENDS))
    told = scores.select("device_id", "window_start", "window_end", "scored_at", "anomaly_score")
    near = told.join(days, "device_id")
    before, after = F.col("window_end") <= F.col(BEGINS), F.col("window_start") >= F.col(ENDS)
    again = -F.unix_micros("scored_at")
    found = near.groupBy("event_id").agg(
        F.max_by("anomaly_score", F.when(before, F.struct("window_end", "scored_at"))).alias(_SCORES[0]),
        F.min_by("anomaly_score", F.when(after, F.struct("window_start", again))).alias(_SCORES[1]),
    )
    return conform(listed.join(F.broadcast(found), "event_id", "left"), MAINTENANCE_SCHEMA)
