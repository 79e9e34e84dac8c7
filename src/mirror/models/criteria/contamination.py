"""The share of flagged rows is what operations can look at: neither nothing nor half of the fleet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.records import Outcome
from mirror.models.scoring import SETTINGS, CannotJudgeError, Sample

if TYPE_CHECKING:
    from mirror.located import Located


@dataclass(frozen=True)
class Contamination(Criterion):
    """``min`` and ``max``: share of the rows, inclusive; which rows says :class:`~mirror.models.scoring.Sample`."""

    kind = "contamination"
    sample: Sample
    min: float
    max: float

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, (*SETTINGS, "min", "max"), required=("dataset", "min", "max"))
        low, high = settings["min"].number("min"), settings["max"].number("max")
        if not 0 <= low < high <= 1:
            settings["max"].wrong(f"min and max are shares from 0 to 1 in this order, not {low:g} and {high:g}.")
        return cls(Sample.read(settings), low, high)

    def judge(self, candidate: Candidate) -> Finding:
        try:
            scored = self.sample.scored(candidate)
        except CannotJudgeError as error:
            return Finding(Outcome.PENDING, str(error))
        if (small := self.sample.too_small(scored)) is not None:
            return Finding(Outcome.PASS, small)
        share = float(scored[self.sample.flag].mean())
        text = f"flags {share:.2%} of {len(scored)} rows, wanted {self.min:.0%} to {self.max:.0%}"
        return Finding(Outcome.PASS if self.min <= share <= self.max else Outcome.REJECT, text)
