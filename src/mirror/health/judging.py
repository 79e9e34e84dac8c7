"""Numbers against thresholds: what is breached, how gravely, and why the limit is where it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from mirror.health.finding import Finding, Severity, Status, gravest
from mirror.health.median import band
from mirror.health.thresholds import Bounds, MedianDeviation, Trend, TrendType

Shown = Callable[[Any], str]

HIDDEN = "a value that is not shown"
"""Stands for what a sensitive column holds."""


def number(value: Any) -> str:
    """A number as people read it."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


@dataclass
class Judgement:
    """Collects what the thresholds of one check say about a value.

    Attributes:
        what: how messages call the value.
        reason: the check's own, for a threshold without one.
        shown: how a value is printed.
        hidden: the value is one of a sensitive column: it is judged, but neither told nor kept.
    """

    what: str
    reason: str | None = None
    shown: Shown = number
    hidden: bool = False
    _breaches: list[str] = field(default_factory=list)
    _severities: list[Severity] = field(default_factory=list)
    _notes: list[str] = field(default_factory=list)
    _judged: bool = False

    def bounds(self, all_bounds: Sequence[Bounds], low: Any, high: Any) -> None:
        """``low`` is held against the lower ends, ``high`` against the upper ones; ``None`` is not held at all.

        NaN meets no bound.
        """
        for one in all_bounds:
            if one.low is not None and low is not None:
                self._hold(not low >= one.low, f"{self._told(low)} is below {self.shown(one.low)}", one)
            if one.high is not None and high is not None:
                self._hold(not high <= one.high, f"{self._told(high)} is above {self.shown(one.high)}", one)

    def deviation(self, one: MedianDeviation | None, earlier: Sequence[float], low: Any, high: Any) -> None:
        """Against the median of the newest ``dataPoints`` of ``earlier``, oldest first; fewer points judge nothing."""
        if one is None:
            return
        points = earlier[-one.data_points :]
        if len(points) < one.data_points:
            self._notes.append(f"{len(points)} of {one.data_points} data points for the median deviation")
            return
        found = band(points, one.deviation_threshold, one.bounds_type)
        around = f"the median {self.shown(found.median)} of {len(points)} (sigma {self.shown(found.sigma)}"
        around += ", a constant history)" if found.sigma == 0 else ")"
        if low is not None and found.low is not None:
            text = f"{self.shown(low)} is more than {one.deviation_threshold:g} sigma below {around}"
            self._hold(found.below(low), text, one)
        if high is not None and found.high is not None:
            text = f"{self.shown(high)} is more than {one.deviation_threshold:g} sigma above {around}"
            self._hold(found.above(high), text, one)

    def trend(self, one: Trend | None, previous: float | None, value: float) -> None:
        """Against the value of the previous run; the first run judges nothing."""
        if one is None:
            return
        if previous is None:
            self._notes.append("no previous run for the trend")
            return
        step = f"{self.shown(value)} after {self.shown(previous)}"
        if one.trend_type is not None:
            broken = not _FOLLOWS[one.trend_type](previous, value)
            self._hold(broken, f"{step} is not {one.trend_type.value.lower().replace('_', ' ')}", one)
        if (limits := one.difference_bounds) is not None:
            change = value - previous
            low, high = limits.lower_bound, limits.upper_bound
            if low is not None:
                self._hold(
                    not change >= low, f"{step} is a change of {self.shown(change)}, below {self.shown(low)}", one
                )
            if high is not None:
                self._hold(
                    not change <= high, f"{step} is a change of {self.shown(change)}, above {self.shown(high)}", one
                )

    def _hold(self, broken: bool, text: str, one: Bounds | MedianDeviation | Trend) -> None:
        self._judged = True
        if broken:
            why = one.reason or self.reason
            self._breaches.append(f"{text} ({one.severity}: {why})" if why else f"{text} ({one.severity})")
            self._severities.append(one.severity)

    def _told(self, value: Any) -> str:
        return HIDDEN if self.hidden else self.shown(value)

    def note(self, text: str, *, judged: bool = False) -> None:
        """Something to say in any case; ``judged`` makes it count as a verdict."""
        self._notes.append(text)
        self._judged = self._judged or judged

    def absorb(self, other: Judgement) -> None:
        """Takes over what another judgement found about the same subject in another unit."""
        self._breaches += other._breaches
        self._severities += other._severities
        self._notes += other._notes
        self._judged = self._judged or other._judged

    def finding(
        self, value: Any, *, event: str, shown: str | None = None, measured: dict[str, object] | None = None
    ) -> Finding:
        """FAILED when anything is breached, NOT_APPLICABLE when nothing could be judged, else PASSED.

        ``shown`` is what a passing check says instead of ``value``.
        """
        facts: dict[str, Any] = {"event": event, "measured": {} if self.hidden else measured or {}}
        if isinstance(value, int | float) and not self.hidden:
            facts["value"] = float(value)
        notes = f" ({'; '.join(self._notes)})" if self._notes else ""
        if self._breaches:
            return Finding(
                Status.FAILED, f"{self.what}: {'; '.join(self._breaches)}{notes}", gravest(self._severities), **facts
            )
        status = Status.PASSED if self._judged else Status.NOT_APPLICABLE
        told = shown if shown is not None and not self.hidden else self._told(value)
        return Finding(status, f"{self.what}: {told}{notes}", **facts)


_FOLLOWS: dict[TrendType, Callable[[float, float], bool]] = {
    TrendType.NON_INCREASING: lambda previous, value: value <= previous,
    TrendType.NON_DECREASING: lambda previous, value: value >= previous,
    TrendType.STRICTLY_INCREASING: lambda previous, value: value > previous,
    TrendType.STRICTLY_DECREASING: lambda previous, value: value < previous,
    TrendType.CONSTANT: lambda previous, value: value == previous,
}
