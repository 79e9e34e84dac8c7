"""A figure of the candidate is no worse than the champion's. Without a champion there is nothing to be worse than."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.records import Outcome

if TYPE_CHECKING:
    from mirror.located import Located


@dataclass(frozen=True)
class NotWorse(Criterion):
    """``metric``: its name; ``better``: ``higher`` or ``lower``; ``tolerance``: share of the champion's value given
    up.
    """

    kind = "not_worse"
    metric: str
    better: str = "higher"
    tolerance: float = 0.0

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, ("metric", "better", "tolerance"), required=("metric", "better"))
        better = settings["better"].text("better")
        if better not in ("higher", "lower"):
            settings["better"].wrong(f"better is 'higher' or 'lower', not {better!r}.")
        tolerance = settings["tolerance"].number("tolerance") if "tolerance" in settings else 0.0
        if not 0 <= tolerance < 1:
            settings["tolerance"].wrong(f"tolerance is a share from 0 to 1, not {tolerance:g}.")
        return cls(settings["metric"].text("metric"), better, tolerance)

    def judge(self, candidate: Candidate) -> Finding:
        if candidate.champion is None:
            return Finding(Outcome.PASS, "there is no version in production to compare with")
        mine, theirs = candidate.metrics(), candidate.metrics(candidate.champion)
        if self.metric not in theirs:
            return Finding(Outcome.PENDING, f"{self.metric} was never measured for the version in production")
        if self.metric not in mine:
            return Finding(Outcome.REJECT, f"{self.metric} was never measured for this version")
        allowance = abs(theirs[self.metric]) * self.tolerance
        gain = mine[self.metric] - theirs[self.metric]
        worse = -gain if self.better == "higher" else gain
        both = f"{mine[self.metric]:.4g}, in production {theirs[self.metric]:.4g}"
        text = f"{self.metric} is {both} ({self.better} is better)"
        return Finding(Outcome.PASS if worse <= allowance else Outcome.REJECT, text)
