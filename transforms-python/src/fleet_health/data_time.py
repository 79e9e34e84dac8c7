"""Pipeline "now" is data time: the newest receipt time the job can see. No clock is ever read."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

# Stands in where a dataset is still empty, so that columns that may not be null are not null.
EPOCH = "1970-01-01 00:00:00"


def with_data_time(frame: DataFrame, source: DataFrame, column: str, time: Column | None = None) -> DataFrame:
    """``frame`` plus ``column``: the newest ``time`` of ``source`` (default ``timestamp_ingested``), never null."""
    newest = F.max(F.col("timestamp_ingested") if time is None else time)
    now = source.agg(F.coalesce(newest, F.lit(EPOCH).cast("timestamp")).alias(column))
    return frame.crossJoin(F.broadcast(now))
