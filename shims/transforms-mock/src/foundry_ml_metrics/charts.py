"""Line and bar charts of a metric set."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from palantir_models.errors import ExperimentError

__all__ = ["bar", "line"]


@dataclass(frozen=True)
class Chart:
    """Pairs of x and y, drawn as a line or as bars."""

    kind: str
    xs: tuple[Any, ...]
    ys: tuple[float, ...]

    def to_json(self) -> dict[str, Any]:
        """The chart as JSON types."""
        return {"kind": self.kind, "xs": list(self.xs), "ys": list(self.ys)}


def line(xs: Sequence[Any], ys: Sequence[float]) -> Chart:
    """A line chart. Raises ``ExperimentError`` when the lengths differ."""
    return _chart("line", xs, ys)


def bar(xs: Sequence[Any], ys: Sequence[float]) -> Chart:
    """A bar chart. Raises ``ExperimentError`` when the lengths differ."""
    return _chart("bar", xs, ys)


def _chart(kind: str, xs: Sequence[Any], ys: Sequence[float]) -> Chart:
    if len(xs) != len(ys):
        raise ExperimentError(f"{kind} chart", f"{len(xs)} xs meet {len(ys)} ys.")
    return Chart(kind, tuple(xs), tuple(float(y) for y in ys))
