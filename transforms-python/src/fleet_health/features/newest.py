"""From versions to the newest one of each window, day by day."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.features import chosen_schema
from fleet_health.ingestion.cleansing import utc_day
from fleet_health.profiles.model import Profile

KEY = ("device_id", "window_start", "window_duration_minutes")
RANK = ("computed_at", "reading_count")
"""Of two versions the one with the greater values is the newer."""


def newest_versions(versions: DataFrame, profile: Profile) -> DataFrame:
    """``device_features``: of each window the version with the greatest ``computed_at``, and its day.

    A reading that landed after its version was written gives the version a second time, with one reading more; of
    two with one ``computed_at`` the one with more readings counts. An as-of read filters ``computed_at`` before.
    """
    dated = versions.withColumn("date", utc_day(F.col("window_start")))
    # one exchange for the choice and for the files: a task holds days and lengths whole, in the order of time, and
    # readers of a few hours find them in few row groups
    spread = dated.repartition("date", "window_duration_minutes")
    window = Window.partitionBy("date", "window_duration_minutes", "window_start", "device_id")
    order = window.orderBy(*(F.desc(name) for name in RANK))
    newest = spread.withColumn("_rank", F.row_number().over(order)).where("_rank = 1")
    return conform(newest, chosen_schema(profile))
