"""A fixed set of rows is answered as before: scores hardly move, and what was planted is still found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.models.criteria.base import Finding, only
from mirror.models.records import Outcome
from mirror.models.scoring import SETTINGS, Compared, Sample

if TYPE_CHECKING:
    import pandas as pd

    from mirror.located import Located


@dataclass(frozen=True)
class RegressionSet(Compared):
    """``max_difference``: largest mean absolute difference of scores; ``planted``: column that is not null where
    something odd was planted, of which the candidate flags no fewer rows than the champion.
    """

    kind = "regression_set"
    sample: Sample
    max_difference: float = 0.05
    planted: str | None = None

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        known = (*SETTINGS, "max_difference", "planted")
        only(item, settings, known, required=("dataset", "max_difference"))
        planted = settings["planted"].text("planted") if "planted" in settings else None
        return cls(Sample.read(settings), settings["max_difference"].number("max_difference"), planted)

    def compare(self, mine: pd.DataFrame, theirs: pd.DataFrame) -> Finding:
        moved = float((mine[self.sample.score] - theirs[self.sample.score]).abs().mean())
        text = f"scores of {len(mine)} fixed rows differ by {moved:.3f} on average, at most {self.max_difference:g}"
        wrong = moved > self.max_difference
        if self.planted is not None:
            if self.planted not in mine.columns:
                return Finding(Outcome.PENDING, f"the scored rows have no column {self.planted!r}")
            odd = mine[self.planted].notna()
            new, old = (int(frame.loc[odd, self.sample.flag].sum()) for frame in (mine, theirs))
            text += f"; {new} of {int(odd.sum())} planted ones are flagged, {old} in production"
            wrong = wrong or new < old
        return Finding(Outcome.REJECT if wrong else Outcome.PASS, text)
