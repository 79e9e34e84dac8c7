"""``failure_exemplars``: the windows before each confirmed failure, copied once, when they no longer change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from fleet_health.contracts.conform import conform, frame_of
from fleet_health.contracts.labels import MAINTENANCE_SYSTEM
from fleet_health.contracts.schemas import schema_of
from fleet_health.profiles.model import Profile

BEFORE = timedelta(hours=48)
"""How long before a failure a window may end; a failure so soon after another one of its unit is the same event."""
_MICROS = timedelta(microseconds=1)
_REACH = BEFORE // _MICROS
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
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


@dataclass(frozen=True)
class Report:
    """A confirmed failure as a label tells it; ``at`` in microseconds since 1970."""

    device_id: str
    at: int
    source: str
    failure_mode: str | None
    confidence: float


def events_of(reports: Iterable[Report], copied: Iterable[tuple[str, int]]) -> list[tuple[str, int, str | None]]:
    """Unit, time and mode of each failure that has no copy: several reports of it are one event.

    What a maintenance system reports has a day and no time, so it gives way to any other report of the unit within
    :data:`BEFORE`. Of two failures no further apart the earlier one is the event. Its mode is the one told with most
    confidence at that time.

    Args:
        reports: of any time.
        copied: unit and time of the events that have a copy; what lies as near to one of them is the same event.
    """
    told, done = defaultdict(list), defaultdict(list)
    for report in reports:
        told[report.device_id].append(report)
    for device, at in copied:
        done[device].append(at)
    found = []
    for device, own in sorted(told.items()):
        timed = {one.at for one in own if one.source != MAINTENANCE_SYSTEM}
        days = {one.at for one in own if one.at not in timed and not _near(one.at, timed)}
        times = sorted(timed | days)
        first = [
            at for before, at in zip([None, *times], times, strict=False) if before is None or at - before > _REACH
        ]
        for at in first:
            if not _near(at, done[device]):
                modes = [(one.confidence, one.failure_mode) for one in own if one.at == at and one.failure_mode]
                found.append((device, at, max(modes)[1] if modes else None))
    return found


def _near(at: int, others: Iterable[int]) -> bool:
    return any(abs(at - other) <= _REACH for other in others)


def new_failures(labels: DataFrame, features: DataFrame, before: DataFrame, profile: Profile) -> Failures | None:
    """Confirmed failures that can be copied now; ``None`` if there is none.

    Args:
        labels: ``label_events``; see :func:`events_of`.
        features: ``device_features``; its newest ``computed_at`` is now. A failure waits until the last window that
            ended before it can no longer change, because it is copied once.
        before: ``failure_exemplars`` as they are.
        profile: how late windows change.
    """
    # one row: the newest version of any window
    now = features.agg(F.max(F.unix_micros("computed_at")).alias("now")).collect()[0]["now"]
    if now is None:
        return None
    known = labels.where((F.col("label_type") == "failure_confirmed") & (F.unix_micros("labeled_at") <= F.lit(now)))
    at = F.unix_micros("event_timestamp").alias("at")
    # one row per report of a failure: they are few
    told = known.select("device_id", at, "label_source", "failure_mode", "label_confidence").collect()
    # one row per failure
    copied = before.select("device_id", F.unix_micros("failure_event_at").alias("at")).distinct().collect()
    last = now - settled_after(profile) // _MICROS
    new = [one for one in events_of((Report(*row) for row in told), map(tuple, copied)) if one[1] <= last]
    if not new:
        return None
    listed = frame_of(labels.sparkSession, new, _EVENTS)
    frame = listed.select("device_id", F.timestamp_micros("at").alias("failure_event_at"), "failure_mode")
    days = [(_EPOCH + at * _MICROS).date() for _, at, _ in new]
    return Failures(frame, _days(days, profile), F.timestamp_micros(F.lit(now)))


def _days(failed: Sequence[date], profile: Profile) -> tuple[date, ...]:
    """The days in which a window may begin that ends in the time before a failure."""
    reach = BEFORE + timedelta(minutes=max(profile.windows_minutes))
    back = range(-(-reach // timedelta(days=1)) + 1)
    return tuple(sorted({day - timedelta(days=n) for day in failed for n in back}))


def exemplars(failures: Failures, features: DataFrame, profile: Profile) -> DataFrame:
    """The rows that ``failure_exemplars`` gains: windows that ended in the time before an event, and not after it."""
    end, at = F.unix_micros("window_end"), F.unix_micros("failure_event_at")
    near = (end <= at) & (end >= at - F.lit(_REACH))
    windows = features.where(F.col("date").isin(*failures.days))
    found = windows.join(F.broadcast(failures.events), "device_id").where(near)
    return conform(found.withColumn("archived_at", failures.now), schema_of("failure_exemplars", profile))
