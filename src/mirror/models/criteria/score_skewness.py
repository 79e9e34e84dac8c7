"""Most rows score low and few score high: a model whose scores are symmetric separates nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.records import Outcome
from mirror.models.scoring import SETTINGS, CannotJudgeError, Sample, verdict

if TYPE_CHECKING:
    from mirror.located import Located


@dataclass(frozen=True)
class ScoreSkewness(Criterion):
    """``min``: smallest skewness of the scores; which rows says :class:`~mirror.models.scoring.Sample`."""

    kind = "score_skewness"
    sample: Sample
    min: float

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, (*SETTINGS, "min"), required=("dataset", "min"))
        return cls(Sample.read(settings), settings["min"].number("min"))

    def judge(self, candidate: Candidate) -> Finding:
        try:
            scored = self.sample.scored(candidate)
        except CannotJudgeError as error:
            return Finding(Outcome.PENDING, str(error))
        if (small := self.sample.too_small(scored)) is not None:
            return Finding(Outcome.PASS, small)
        found = float(scored[self.sample.score].astype("float64").skew())  # type: ignore[arg-type]  # a float by then
        text = f"skewness of scores is {found:.2f} over {len(scored)} rows, at least {self.min:g}"
        return verdict(found, self.min, text, at_most=False)
