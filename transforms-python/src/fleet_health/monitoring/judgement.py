"""A series of figures against the thresholds of its metric: what is well, what is not, and what cannot be said."""

from __future__ import annotations

import math
import operator
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from fleet_health.alerting.severity import rank
from fleet_health.monitoring.definitions import Against, Metric, Threshold

ALL = "ALL"
OK, WARN, BREACH, UNKNOWN = "OK", "WARN", "BREACH", "UNKNOWN"
_COMPARE: Mapping[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "!=": operator.ne,
    "abs >": lambda value, limit: abs(value) > limit,
}


@dataclass(frozen=True)
class Figure:
    """One measured value.

    Attributes:
        dimension: the part it is about, :data:`ALL` for the whole.
        period: start of the hour, day, window or run, seconds since 1970; figures are judged in this order.
        value: null where it could not be measured.
        expected: what the measure itself expects, where it does.
        rows: rows, devices or windows behind it; null where that is no matter.
    """

    dimension: str
    period: int
    value: float | None
    expected: float | None = None
    rows: int | None = None


@dataclass(frozen=True)
class Verdict:
    """``value`` is what was held against ``limit``: the figure, or its change where the threshold is about that."""

    dimension: str
    value: float | None
    expected: float | None
    limit: float
    status: str
    severity: str | None
    reason: str | None


@dataclass(frozen=True)
class _Judged:
    figure: Figure
    expected: float | None
    change: float | None

    def of(self, threshold: Threshold) -> float | None:
        return self.change if threshold.of == "change" else self.figure.value


def judge(metric: Metric, figures: Iterable[Figure]) -> tuple[Verdict, ...]:
    """One verdict per part that has enough rows and history; a part of which the newest figure is null is UNKNOWN.

    No verdict at all means: there are figures, but too few rows or too little history to say anything.
    """
    parts: dict[str, list[Figure]] = {}
    empty = True
    for figure in figures:
        empty = False
        if figure.rows is None or figure.rows >= metric.least_rows:
            parts.setdefault(figure.dimension, []).append(figure)
    if empty:
        return (_unknown(metric, ALL),)
    found = [_verdict(metric, name, sorted(part, key=lambda one: one.period)) for name, part in sorted(parts.items())]
    return tuple(verdict for verdict in found if verdict is not None)


def _verdict(metric: Metric, dimension: str, figures: Sequence[Figure]) -> Verdict | None:
    about = [threshold for threshold in metric.thresholds if threshold.limit(dimension) is not None]
    if not about:
        return None
    if figures[-1].value is None or not math.isfinite(figures[-1].value):
        return _unknown(metric, dimension)
    judged = [_changed(figures, place, metric.against) for place in range(len(figures))]
    sayable = [threshold for threshold in about if judged[-1].of(threshold) is not None]
    if not sayable:
        return None
    breached = [threshold for threshold in sayable if _lasts(threshold, dimension, judged)]
    if not breached:
        mildest = min(sayable, key=lambda threshold: rank(threshold.severity))
        return _told(mildest, dimension, judged[-1], metric, OK, None)
    worst = max(breached, key=lambda threshold: rank(threshold.severity))
    status = BREACH if worst.severity in ("HIGH", "CRITICAL") else WARN
    return _told(worst, dimension, judged[-1], metric, status, worst.severity)


def _told(
    threshold: Threshold, dimension: str, newest: _Judged, metric: Metric, status: str, severity: str | None
) -> Verdict:
    expected = newest.expected if newest.expected is not None else metric.expected
    limit = threshold.limit(dimension)
    reason = threshold.reason if severity else None
    return Verdict(dimension, newest.of(threshold), expected, limit or 0.0, status, severity, reason)


def _unknown(metric: Metric, dimension: str) -> Verdict:
    limits = [threshold.limit(dimension) for threshold in metric.thresholds]
    limit = next((one for one in limits if one is not None), 0.0)
    reason = "the metric could not be measured; silence of a monitor is not health"
    return Verdict(dimension, None, metric.expected, limit, UNKNOWN, "MEDIUM", reason)


def _lasts(threshold: Threshold, dimension: str, judged: Sequence[_Judged]) -> bool:
    limit = threshold.limit(dimension)
    newest = judged[-threshold.for_ :]
    values = [one.of(threshold) for one in newest]
    return (
        limit is not None
        and len(newest) == threshold.for_
        and all(value is not None and _COMPARE[threshold.op](value, limit) for value in values)
    )


def _changed(figures: Sequence[Figure], place: int, against: Against | None) -> _Judged:
    figure = figures[place]
    if against is None or figure.value is None:
        return _Judged(figure, figure.expected, None)
    if against.what == "given":
        return _Judged(figure, figure.expected, _change(figure.value, figure.expected, against, None))
    earlier = [one.value for one in figures[max(place - against.periods, 0) : place] if one.value is not None]
    if len(earlier) < against.least:
        return _Judged(figure, None, None)
    spread = statistics.stdev(earlier) if len(earlier) > 1 else None
    mean = statistics.fmean(earlier)
    return _Judged(figure, mean, _change(figure.value, mean, against, spread))


def _change(value: float, expected: float | None, against: Against, spread: float | None) -> float | None:
    if expected is None:
        return None
    if against.as_ == "difference":
        return value - expected
    if against.as_ == "deviations":
        return abs(value - expected) / spread if spread else None
    base = max(expected, against.floor)
    if base == 0.0:
        # nothing before and nothing now is no change
        return None if value else (1.0 if against.as_ == "ratio" else 0.0)
    ratio = value / base
    return ratio if against.as_ == "ratio" else 1.0 - ratio
