"""Which scores of the models beside the first one may change an alert."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.ingestion.cleansing import utc_midnight
from fleet_health.profiles.families import InService

_WINDOW = ("device_id", "window_start", "window_end")


def heard(beside: DataFrame, leading: DataFrame, served: InService) -> DataFrame:
    """The scores that were there when the first model judged the window, or where it has not judged at all.

    A model that is released later scores the whole history, one that is put in service later has scored some of it in
    time, and nobody is called for what is past.

    Args:
        beside: ``model_scores`` of another model that scores windows of the same length.
        leading: ``model_scores`` of the first model.
        served: the days on which windows may begin.
    """
    judged = leading.groupBy(*_WINDOW).agg(F.min("scored_at").alias("_judged_at"))
    begins = F.col("window_start")
    days = begins >= utc_midnight(served.since)
    if served.until is not None:
        days = days & (begins < utc_midnight(served.until))
    rows = beside.where(days).join(judged, list(_WINDOW), "left")
    in_time = F.col("_judged_at").isNull() | (F.col("scored_at") <= F.col("_judged_at"))
    return rows.where(in_time).select(*beside.columns)
