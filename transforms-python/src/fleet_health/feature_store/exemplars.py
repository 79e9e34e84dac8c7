"""``failure_exemplars``: the windows before each confirmed failure, copied once, when they no longer change."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F
from pyspark.sql import types as T

from fleet_health.contracts.conform import conform, frame_of
from fleet_health.contracts.schemas import schema_of
from fleet_health.ingestion.cleansing import utc_day
from fleet_health.profiles.model import Profile

BEFORE = timedelta(hours=48)
"""How long before a failure a window may end; a failure so soon after another one of its unit is the same event."""
_MICROS = timedelta(microseconds=1)
_EVENTS = T.StructType().add("device_id", "string").add("at", "long").add("failure_mode", "string")


@dataclass(frozen=True)
class Failures:
    """Events that have no copy yet, the UTC days in which their windows begin, and the data time."""

    events: DataFrame
    days: tuple[date, ...]
    now: Column


def settled_after(profile: Profile) -> timedelta:
    """How long after its end a window of any length may still be written or get another version."""
    each = [profile.lateness_of(minutes) for minutes in profile.windows_minutes]
    return max(timedelta(minutes=one.close_after.minutes, hours=one.horizon.hours) for one in each)


def new_failures(labels: DataFrame, features: DataFrame, before: DataFrame, profile: Profile) -> Failures | None:
    """Confirmed failures that can be copied now; ``None`` if there is none.

    Args:
        labels: ``label_events``. Reports of one unit and time are one event; its mode is the one told with most
            confidence. One within :data:`BEFORE` of an earlier failure of its unit is no event of its own.
        features: ``device_features``; its newest ``computed_at`` is now. A failure waits until the last window that
            ended before it can no longer change, because it is copied once.
        before: ``failure_exemplars`` as they are.
        profile: how late windows change.
    """
    # one row: the newest version of any window
    now = features.agg(F.max(F.unix_micros("computed_at")).alias("now")).collect()[0]["now"]
    if now is None:
        return None
    wait = settled_after(profile) // _MICROS
    at = F.unix_micros("event_timestamp")
    known = labels.where((F.col("label_type") == "failure_confirmed") & (F.unix_micros("labeled_at") <= F.lit(now)))
    told = F.when(F.col("failure_mode").isNotNull(), F.struct("label_confidence", "failure_mode"))
    events = known.groupBy("device_id", "event_timestamp").agg(F.max_by("failure_mode", told).alias("failure_mode"))
    earlier = F.lag(at).over(Window.partitionBy("device_id").orderBy("event_timestamp"))
    alone = events.withColumn("_since", at - earlier).where(
        (F.col("_since").isNull() | (F.col("_since") > F.lit(BEFORE // _MICROS))) & (at <= F.lit(now - wait))
    )
    named = alone.select("device_id", F.col("event_timestamp").alias("failure_event_at"), "failure_mode")
    done = before.select("device_id", "failure_event_at").distinct()
    new = named.join(F.broadcast(done), ["device_id", "failure_event_at"], "left_anti").withColumn(
        "day", utc_day(F.col("failure_event_at"))
    )
    # one row per failure that nobody has looked at
    rows = new.select("device_id", F.unix_micros("failure_event_at").alias("at"), "failure_mode", "day").collect()
    if not rows:
        return None
    told_of = [(row["device_id"], row["at"], row["failure_mode"]) for row in rows]
    listed = frame_of(labels.sparkSession, told_of, _EVENTS)
    frame = listed.select("device_id", F.timestamp_micros("at").alias("failure_event_at"), "failure_mode")
    return Failures(frame, _days([row["day"] for row in rows], profile), F.timestamp_micros(F.lit(now)))


def _days(failed: Sequence[date], profile: Profile) -> tuple[date, ...]:
    """The days in which a window may begin that ends in the time before a failure."""
    reach = BEFORE + timedelta(minutes=max(profile.windows_minutes))
    back = range(-(-reach // timedelta(days=1)) + 1)
    return tuple(sorted({day - timedelta(days=n) for day in failed for n in back}))


def exemplars(failures: Failures, features: DataFrame, profile: Profile) -> DataFrame:
    """The rows that ``failure_exemplars`` gains: windows that ended in the time before an event, and not after it."""
    end, at = F.unix_micros("window_end"), F.unix_micros("failure_event_at")
    near = (end <= at) & (end >= at - F.lit(BEFORE // _MICROS))
    windows = features.where(F.col("date").isin(*failures.days))
    found = windows.join(F.broadcast(failures.events), "device_id").where(near)
    return conform(found.withColumn("archived_at", failures.now), schema_of("failure_exemplars", profile))
