"""Which scores of the models beside the first one may change an alert."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

_WINDOW = ("device_id", "window_start", "window_end")


def heard(beside: DataFrame, leading: DataFrame) -> DataFrame:
    """The scores that were there when the first model judged the window, or where it has not judged at all.

    A model that is released or put in service later scores the whole history, and nobody is called for what is past.

    Args:
        beside: ``model_scores`` of another model that scores windows of the same length.
        leading: ``model_scores`` of the first model.
    """
    judged = leading.groupBy(*_WINDOW).agg(F.min("scored_at").alias("_judged_at"))
    rows = beside.join(judged, list(_WINDOW), "left")
    in_time = F.col("_judged_at").isNull() | (F.col("scored_at") <= F.col("_judged_at"))
    return rows.where(in_time).select(*beside.columns)
