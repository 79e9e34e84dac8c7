"""The candidate flags about as many rows as the champion: the change in percentage points."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.models.criteria.base import Finding, only
from mirror.models.scoring import SETTINGS, Compared, Sample, verdict

if TYPE_CHECKING:
    import pandas as pd

    from mirror.located import Located


@dataclass(frozen=True)
class FlaggedShare(Compared):
    """``max_change``: percentage points, either way; ``max_relative``: share of the champion's, either way."""

    kind = "flagged_share"
    sample: Sample
    max_change: float = 2.0
    max_relative: float | None = None

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, (*SETTINGS, "max_change", "max_relative"), required=("dataset", "max_change"))
        relative = settings["max_relative"].number("max_relative") if "max_relative" in settings else None
        return cls(Sample.read(settings), settings["max_change"].number("max_change"), relative)

    def compare(self, mine: pd.DataFrame, theirs: pd.DataFrame) -> Finding:
        new, old = (100.0 * float(f[self.sample.flag].mean()) for f in (mine, theirs))
        text = (
            f"flags {new:.2f} % of {len(mine)} rows, production {old:.2f} %, at most {self.max_change:g} points apart"
        )
        allowed = self.max_change
        if self.max_relative is not None:
            allowed = min(allowed, self.max_relative * old)
            text += f" and at most {self.max_relative:.0%} of production's"
        return verdict(abs(new - old), allowed, text)
