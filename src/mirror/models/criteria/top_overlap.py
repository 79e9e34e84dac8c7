"""The candidate's most anomalous devices are mostly the champion's: overlap of the top share by highest score."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from mirror.models.criteria.base import Finding, only
from mirror.models.records import Outcome
from mirror.models.scoring import SETTINGS, Compared, Sample, verdict

if TYPE_CHECKING:
    import pandas as pd

    from mirror.located import Located


@dataclass(frozen=True)
class TopOverlap(Compared):
    """The ``key`` values that both rank highest must coincide to at least ``min``: ``share`` of them (rounded up), and
    no more than ``top``.
    """

    kind = "top_overlap"
    sample: Sample
    min: float = 0.8
    share: float = 0.05
    key: str = "device_id"
    top: int = 100

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, (*SETTINGS, "min", "share", "key", "top"), required=("dataset", "min"))
        share = settings["share"].number("share") if "share" in settings else 0.05
        if not 0 < share <= 1:
            settings["share"].wrong(f"share is above 0 and at most 1, not {share:g}.")
        key = settings["key"].text("key") if "key" in settings else "device_id"
        top = settings["top"].count("top") if "top" in settings else 100
        return cls(Sample.read(settings), settings["min"].number("min"), share, key, top)

    def compare(self, mine: pd.DataFrame, theirs: pd.DataFrame) -> Finding:
        if self.key not in mine.columns:
            return Finding(Outcome.PENDING, f"the scored rows have no column {self.key!r}")
        new, old = (top(frame, self.sample.score, self.share, self.key, self.top) for frame in (mine, theirs))
        overlap = len(new & old) / len(old)
        text = f"{overlap:.0%} of the top {len(old)} by {self.key} are those of production, at least {self.min:.0%}"
        return verdict(overlap, self.min, text, at_most=False)


def top(scored: pd.DataFrame, score: str, share: float, key: str = "device_id", most: int = 100) -> set[str]:
    """The ``share`` of the keys (rounded up, at most ``most``) with the highest scores; of equal ones the first."""
    highest = scored.groupby(key)[score].max().reset_index()
    ranked = highest.sort_values([score, key], ascending=[False, True])
    return set(ranked[key].head(min(most, max(1, math.ceil(len(ranked) * share)))))
