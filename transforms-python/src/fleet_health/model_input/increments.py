"""Which windows need a vector now, and whether the vectors that are there may stay.

A vector depends on its own window, on earlier ones of its device that are no older than a value may be, on the release
and on the device's cohort. So windows that came into being are added to what is there as long as the same release fills
them, no device changed its cohort, and none of them lies before a window that has a vector or a reason. In every other
case all vectors are made anew: a full build and any sequence of runs end with the same rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.features.days import ending_between
from fleet_health.model_input.errors import FeaturesBehindError
from fleet_health.profiles.model import Profile

_KEY = ("device_id", "window_start", "window_end")
_NEWEST = ("computed_at", "reading_count")
IS_NEW = "is_new"
_HOUR = 3_600_000_000
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Added:
    """Windows of one length that gained a version since the last run.

    Attributes:
        windows: key and, as ``version``, the newest of what was added for it.
        count: how many.
        first, last: the earliest and the latest end of one, microseconds.
    """

    windows: DataFrame
    count: int
    first: int
    last: int

    @classmethod
    def of(cls, versions: DataFrame, minutes: int) -> Added | None:
        """One look at the keys of added ``feature_versions``; ``None`` when none is of this length."""
        own = versions.where(F.col("window_duration_minutes") == minutes)
        newest = own.groupBy(*_KEY).agg(F.max(F.struct(*_NEWEST)).alias("version"))
        end = F.unix_micros("window_end")
        # one row of counts
        row = newest.agg(F.count(F.lit(1)).alias("n"), F.min(end).alias("first"), F.max(end).alias("last")).collect()[0]
        return cls(newest, row["n"], row["first"], row["last"]) if row["n"] else None

    def per_device(self) -> DataFrame:
        """The end of the first window that each device gained."""
        return self.windows.groupBy("device_id").agg(F.min("window_end").alias("_first"))


def filled_otherwise(stored: Sequence[DataFrame], model: Any, rows: DataFrame) -> bool:
    """Whether a row that is there comes of another release, or of a cohort in which its device no longer is.

    Args:
        stored: ``model_input`` and ``model_input_exclusions`` so far; of both only names and cohorts are read.
        model: the release.
        rows: ``device_id`` and ``cohort_id`` of every device that the registry knows, empty without cohorts.
    """
    told = ("device_id", "cohort_id", "model_id", "model_version", "granularity")
    there = stored[0].select(*told).unionByName(stored[1].select(*told))
    other = F.lit(False)
    for name in told[2:]:
        other = other | (F.col(name) != F.lit(str(model.constants[name])))
    now = rows.select("device_id", F.col("cohort_id").alias("_now"))
    moved = ~F.col("cohort_id").eqNullSafe(F.col("_now"))
    return not there.join(F.broadcast(now), "device_id", "left").where(other | moved).isEmpty()


def meets(added: Added, stored: Sequence[DataFrame]) -> bool:
    """Whether an added window is there already or lies before one of its device that is.

    Args:
        added: what came into being.
        stored: ``model_input`` and ``model_input_exclusions`` so far; row groups that end before the first added window
            are not read.
    """
    there = stored[0].select("device_id", "window_end").unionByName(stored[1].select("device_id", "window_end"))
    later = there.where(F.col("window_end") >= F.timestamp_micros(F.lit(added.first)))
    return not later.join(added.per_device(), "device_id").where(F.col("window_end") >= F.col("_first")).isEmpty()


def with_history(features: DataFrame, added: Added, minutes: int, profile: Profile) -> DataFrame:
    """The added windows, marked :data:`IS_NEW`, and what their devices did before for as long as a value may be old.

    Args:
        features: ``device_features``, whole or in days; of other times nothing is read.
        added: the windows to mark; one whose version is newer than the row that is there is not marked.
        minutes: their length.
        profile: how old a value may be.
    """
    age = round(profile.imputation.max_age_of(minutes) * _HOUR)
    since, until = (_EPOCH + timedelta(microseconds=at) for at in (added.first - age, added.last))
    own = features.where(F.col("window_duration_minutes") == minutes)
    near = ending_between(own, since, until, timedelta(minutes=minutes))
    oldest = F.unix_micros("window_end") >= F.unix_micros("_first") - F.lit(age)
    near = near.join(added.per_device(), "device_id").where(oldest).drop("_first")
    marked = near.join(added.windows, list(_KEY), "left")
    new = F.coalesce(F.struct(*_NEWEST) >= F.col("version"), F.lit(False))
    return marked.withColumn(IS_NEW, new).drop("version")


def refuse_behind(found: int, added: Added, model_id: str) -> None:
    """Raises :class:`FeaturesBehindError` unless every added window was found in ``device_features``."""
    if found < added.count:
        raise FeaturesBehindError(model_id, added.count - found)


def refuse_older(features: DataFrame, versions: DataFrame, minutes: int, model_id: str) -> None:
    """Raises :class:`FeaturesBehindError` when a version of this length is newer than every row of ``features``."""
    own = F.col("window_duration_minutes") == minutes
    newest = F.coalesce(F.max(F.unix_micros("computed_at")), F.lit(0)).alias("at")
    # one row each
    row, version = (frame.where(own).agg(newest).collect()[0]["at"] for frame in (features, versions))
    if row < version:
        raise FeaturesBehindError(model_id, None)
