"""Scoring is a function of the row alone: twice, and in another order, gives identical scores."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np

from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.records import Outcome
from mirror.models.scoring import SETTINGS, CannotJudgeError, Sample

if TYPE_CHECKING:
    from mirror.located import Located


@dataclass(frozen=True)
class Repeatable(Criterion):
    """The settings say which rows (see :class:`~mirror.models.scoring.Sample`)."""

    kind = "repeatable"
    sample: Sample

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, SETTINGS, required=("dataset",))
        return cls(Sample.read(settings))

    def judge(self, candidate: Candidate) -> Finding:
        try:
            first = self.sample.scored(candidate)
            rows = self.sample.frame(candidate)
        except CannotJudgeError as error:
            return Finding(Outcome.PENDING, str(error))
        backwards = candidate.adapter(candidate.version).transform(rows.iloc[::-1].reset_index(drop=True))
        again = backwards[next(iter(backwards))][self.sample.score].to_numpy("float64")[::-1]
        expected = first[self.sample.score].to_numpy("float64")
        if len(again) != len(expected):
            return Finding(Outcome.REJECT, f"gives {len(again)} scores the second time, {len(expected)} the first")
        differing = int((~((again == expected) | (np.isnan(again) & np.isnan(expected)))).sum())
        if differing:
            return Finding(
                Outcome.REJECT, f"{differing} of {len(expected)} scores differ when scored again in another order"
            )
        return Finding(Outcome.PASS, f"{len(expected)} scores are identical when scored again in another order")
