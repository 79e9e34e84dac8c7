"""A figure of the version lies in a range. A figure that was never measured is PENDING, or REJECT when nothing was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.errors import nearest
from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.records import Outcome

if TYPE_CHECKING:
    from mirror.located import Located


@dataclass(frozen=True)
class MetricRange(Criterion):
    """``metric``: its name; ``min``, ``max``: inclusive bounds, at least one of them."""

    kind = "metric_range"
    metric: str
    min: float | None = None
    max: float | None = None

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, ("metric", "min", "max"), required=("metric",))
        if "min" not in settings and "max" not in settings:
            item.wrong("a metric_range needs 'min' or 'max'.")
        low = settings["min"].number("min") if "min" in settings else None
        high = settings["max"].number("max") if "max" in settings else None
        if low is not None and high is not None and low > high:
            settings["min"].wrong(f"min {low:g} is above max {high:g}.")
        return cls(settings["metric"].text("metric"), low, high)

    def judge(self, candidate: Candidate) -> Finding:
        metrics = candidate.metrics()
        if self.metric not in metrics:
            outcome = Outcome.REJECT if metrics else Outcome.PENDING
            known = nearest(self.metric, metrics)
            return Finding(outcome, f"{self.metric} was never measured for this version.{known}")
        value = metrics[self.metric]
        inside = (self.min is None or value >= self.min) and (self.max is None or value <= self.max)
        return Finding(
            Outcome.PASS if inside else Outcome.REJECT, f"{self.metric} is {value:.4g}, wanted {self._range()}"
        )

    def _range(self) -> str:
        if self.min is not None and self.max is not None:
            return f"{self.min:g} to {self.max:g}"
        return f"at least {self.min:g}" if self.min is not None else f"at most {self.max:g}"
