"""Runs a frame as a single Spark job.

With adaptive execution every shuffle becomes a job of its own, also the one that brings a handful of partial aggregates
together. Aggregations that end in one row gain nothing from it, so they run in a clone of the session without it; the
session of the caller is left alone, which a changed setting would not do while other jobs run beside this one.
"""

from __future__ import annotations

from pyspark.sql import DataFrame

from mirror.spark import copy_session, in_session


def as_one_job(frame: DataFrame) -> DataFrame:
    """The same rows, planned without adaptive execution."""
    return in_session(frame, copy_session(frame.sparkSession, {"spark.sql.adaptive.enabled": "false"}))
