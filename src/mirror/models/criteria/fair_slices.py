"""No slice of the fleet is flagged far more often than the fleet as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.records import Outcome
from mirror.models.scoring import SETTINGS, CannotJudgeError, Sample
from mirror.models.subsets import subsets

if TYPE_CHECKING:
    from mirror.located import Located


@dataclass(frozen=True)
class FairSlices(Criterion):
    """``column`` makes the slices, by value or quarter; those of at least ``min_rows`` may be flagged ``max_factor``
    times the fleet's share.
    """

    kind = "fair_slices"
    sample: Sample
    column: str
    max_factor: float = 2.0
    min_rows: int = 100

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        known = (*SETTINGS, "column", "max_factor", "min_rows")
        only(item, settings, known, required=("dataset", "column", "max_factor"))
        minimum = settings["min_rows"].count("min_rows") if "min_rows" in settings else 100
        column, factor = settings["column"].text("column"), settings["max_factor"].number("max_factor")
        return cls(Sample.read(settings), column, factor, minimum)

    def judge(self, candidate: Candidate) -> Finding:
        try:
            scored = self.sample.scored(candidate)
        except CannotJudgeError as error:
            return Finding(Outcome.PENDING, str(error))
        if small := self.sample.too_small(scored):
            return Finding(Outcome.PASS, small)
        if self.column not in scored.columns:
            return Finding(Outcome.PENDING, f"the scored rows have no column {self.column!r}")
        overall = float(scored[self.sample.flag].mean())
        judged = {
            name.removeprefix(f"{self.column} "): float(rows[self.sample.flag].mean())
            for name, rows in subsets(scored, self.column, self.min_rows)
        }
        unfair = {name: share for name, share in judged.items() if share > overall * self.max_factor}
        if unfair:
            order = sorted(unfair, key=lambda name: -unfair[name])
            worst = ", ".join(f"{name} {100 * unfair[name]:.1f} %" for name in order[:3])
            limit = f"{self.max_factor:g} times the fleet's {100 * overall:.1f} %"
            return Finding(Outcome.REJECT, f"flagged more than {limit}: {worst}")
        return Finding(
            Outcome.PASS, f"{len(judged)} slices of {self.column} within {self.max_factor:g} times the fleet's share"
        )
