"""Windows of ``device_features`` by when they end, read from the days in which they lie."""

from __future__ import annotations

from datetime import datetime, timedelta

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.ingestion.cleansing import utc_day


def ending_between(windows: DataFrame, since: datetime | None, until: datetime | None, length: timedelta) -> DataFrame:
    """Windows of one length that end between two instants, both included; the days of ``device_features`` they lie in.

    Args:
        windows: with ``window_end``, and perhaps in a folder ``date`` per day on which windows begin.
        since, until: without a bound where ``None``.
        length: of the windows.
    """
    for bound, above in ((since, True), (until, False)):
        if bound is not None:
            end, limit = F.col("window_end"), F.lit(bound)
            windows = windows.where(end >= limit if above else end <= limit)
            if "date" in windows.columns:
                day, limit = F.col("date"), utc_day(F.lit(bound - length))
                windows = windows.where(day >= limit if above else day <= limit)
    return windows
