"""The rules for acute events as one pure step: state and reading in, state and alerts out.

A device's readings are taken in the order in which they were received. A reading whose id was seen is a copy and
changes nothing. One that is older than the newest of its device is *late*: rules that need a single reading judge it,
rules over a sequence do not, because what followed has been judged already. After ``late_minutes`` it is ignored.
Values out of the sensor's range never fire, except that several in a row above it do where a rule says so. Every
comparison is strict.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from statistics import median

from fleet_health.profiles.errors import ProfileReferenceError
from fleet_health.profiles.model import Profile, Sensor
from fleet_health.profiles.serving import Streaming, StreamingRule
from fleet_health.streaming.state import DeviceState, Memory

MINUTE = 60_000_000
Value = float | bool | None
Limits = Mapping[str, float | None]


@dataclass(frozen=True)
class Reading:
    """One message of a device; ``time`` and ``received`` are microseconds since 1970."""

    event_id: str
    time: int
    received: int
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Firing:
    """A rule fired. ``first`` is the time of the alert whose silence this one falls into, else its own."""

    rule: str
    time: int
    received: int
    value: float
    first: int
    suppressed: bool


@dataclass(frozen=True)
class Plan:
    """The rules of a fleet with the ranges of their sensors."""

    streaming: Streaming
    ranges: Mapping[str, tuple[float, float]]

    @classmethod
    def of(cls, profile: Profile) -> Plan:
        """Raises ProfileReferenceError for a profile without a ``streaming`` section."""
        if profile.streaming is None:
            raise ProfileReferenceError(profile.profile, None, "no `streaming` section", "Add one, or run no stream.")
        return cls(profile.streaming, {s.name: _range(s) for s in profile.sensors if s.type == "double"})


def _range(sensor: Sensor) -> tuple[float, float]:
    return -math.inf if sensor.min is None else sensor.min, math.inf if sensor.max is None else sensor.max


@dataclass(frozen=True)
class _Seen:
    """A reading as one rule sees it: ``raw`` as sent, ``value`` only when it can have been measured."""

    time: int
    raw: float | None
    value: float | None
    high: float
    limit: float
    average: float | None
    late: bool
    gap: int


def step(state: DeviceState, reading: Reading, limits: Limits, plan: Plan) -> tuple[DeviceState, tuple[Firing, ...]]:
    """One reading of one device.

    Args:
        state: what is remembered of the device.
        reading: the next one received; missing and NaN values are null.
        limits: the device's row of ``device_stream_thresholds``; a limit that is missing there has its default, an
            average that is missing or not positive disables its rule.
        plan: rules and ranges.

    Returns:
        the new state and one firing per rule that fires, suppressed ones included.
    """
    streaming, newest = plan.streaming, state.newest
    if newest is not None and reading.time < newest - streaming.late_minutes * MINUTE:
        return state.counted("ignored"), ()
    if any(known == reading.event_id for _, known in state.seen):
        return state.counted("repeated"), ()
    late = newest is not None and reading.time < newest
    now = reading.time if newest is None else max(newest, reading.time)
    memories, firings = dict(state.rules), []
    for rule in streaming.rules:
        memory = memories.get(rule.id, Memory())
        seen = _seen(reading, rule, limits, plan, late)
        if rule.gate is not None and reading.values.get(rule.gate) is True:
            memory, fired = memory if late else memory.forgotten(), False
        else:
            memory, fired = _KINDS[rule.kind](memory, seen, rule)
        if fired:
            memory, firing = _told(memory, reading, rule, seen, streaming)
            firings.append(firing)
        memories[rule.id] = memory
    kept = tuple(pair for pair in state.seen if pair[0] >= now - streaming.late_minutes * MINUTE)
    state = replace(state, newest=now, rules=memories, seen=(*kept, (reading.time, reading.event_id)))
    return (state.counted("late") if late else state), tuple(firings)


def _seen(reading: Reading, rule: StreamingRule, limits: Limits, plan: Plan, late: bool) -> _Seen:
    raw, (low, high) = _number(reading.values.get(rule.sensor)), plan.ranges[rule.sensor]
    value = raw if raw is not None and low <= raw <= high else None
    limit = _number(limits.get(rule.limit.column))
    average = None if rule.average is None else _number(limits.get(rule.average.column))
    gap = round(plan.streaming.gap_minutes * MINUTE)
    return _Seen(reading.time, raw, value, high, rule.limit.default if limit is None else limit, average, late, gap)


def _number(value: Value) -> float | None:
    return None if value is None or math.isnan(value) else float(value)


def _told(
    memory: Memory, reading: Reading, rule: StreamingRule, seen: _Seen, streaming: Streaming
) -> tuple[Memory, Firing]:
    """The first alert of a device and rule opens a silence; later ones inside it are counted and do not prolong it."""
    silent = memory.anchor is not None and abs(reading.time - memory.anchor) < streaming.dedup_hours * 60 * MINUTE
    first = memory.anchor if silent and memory.anchor is not None else reading.time
    memory = replace(memory, anchor=first, silenced=memory.silenced + 1 if silent else 0)
    value = 0.0 if seen.raw is None else seen.raw
    return memory, Firing(rule.id, reading.time, reading.received, value, min(first, reading.time), silent)


def _limit(memory: Memory, seen: _Seen, rule: StreamingRule) -> tuple[Memory, bool]:
    fired = seen.value is not None and seen.value > seen.limit
    if rule.over_range is None or seen.late:
        return memory, fired
    above = seen.raw is not None and seen.raw > seen.high
    in_a_row = memory.since is not None and seen.time - memory.since <= seen.gap
    run = (memory.run + 1 if in_a_row else 1) if above else 0
    return replace(memory, run=run, since=seen.time), fired or run >= rule.over_range.readings


def _factor(memory: Memory, seen: _Seen, rule: StreamingRule) -> tuple[Memory, bool]:
    usable = seen.average is not None and seen.average > 0 and seen.value is not None
    return memory, usable and (seen.value or 0.0) > seen.limit * (seen.average or 0.0)


def _fall(memory: Memory, seen: _Seen, rule: StreamingRule) -> tuple[Memory, bool]:
    if seen.late or seen.value is None:
        return memory, False
    span, size = (rule.minutes or 0) * MINUTE, rule.median_of or 1
    points = tuple(point for point in memory.points if point[0] >= seen.time - span)[-(size - 1) :] if size > 1 else ()
    unbroken = bool(memory.points) and seen.time - memory.points[-1][0] <= span
    since = memory.since if unbroken and memory.since is not None else seen.time
    points = (*points, (seen.time, seen.value))
    medians = tuple(past for past in memory.medians if past[0] >= seen.time - span)
    memory = replace(memory, points=points, medians=medians, since=since)
    if len(points) < size:
        return memory, False
    level = median(value for _, value in points)
    highest = max((value for _, value in medians), default=level)
    fell = highest > 0 and level < (1.0 - seen.limit) * highest
    return replace(memory, medians=(*medians, (seen.time, level))), fell and seen.time - since >= span


def _slope(memory: Memory, seen: _Seen, rule: StreamingRule) -> tuple[Memory, bool]:
    if seen.late or seen.value is None:
        return memory, False
    if not memory.points or memory.since is None or seen.time - memory.points[-1][0] > seen.gap:
        return replace(memory, points=((seen.time, seen.value),), since=seen.time), False
    time, value = memory.points[-1]
    if seen.time == time:
        return memory, False  # two readings of one instant have no slope; the first one counts
    rises = seen.value - value > seen.limit * (seen.time - time) / MINUTE
    since = memory.since if rises else seen.time
    memory = replace(memory, points=((seen.time, seen.value),), since=since)
    return memory, rises and seen.time - since >= (rule.minutes or 0) * MINUTE


_KINDS: Mapping[str, Callable[[Memory, _Seen, StreamingRule], tuple[Memory, bool]]] = {
    "limit": _limit,
    "factor_over_average": _factor,
    "relative_fall": _fall,
    "slope": _slope,
}
