"""The candidate's scores are distributed like the champion's: Kullback-Leibler divergence of 20-bin histograms."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from mirror.models.criteria.base import Finding, only
from mirror.models.scoring import SETTINGS, Compared, Sample, verdict

if TYPE_CHECKING:
    import pandas as pd

    from mirror.located import Located

BINS = 20
# An empty bin would make the divergence infinite; half a row in every bin keeps it finite and small samples honest.
_PRIOR = 0.5


@dataclass(frozen=True)
class ScoreDivergence(Compared):
    """``max``: largest divergence in nats; the rest says which rows (see :class:`~mirror.models.scoring.Sample`)."""

    kind = "score_divergence"
    sample: Sample
    max: float = 0.1

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        only(item, settings, (*SETTINGS, "max"), required=("dataset", "max"))
        return cls(Sample.read(settings), settings["max"].number("max"))

    def compare(self, mine: pd.DataFrame, theirs: pd.DataFrame) -> Finding:
        column = self.sample.score
        found = divergence(mine[column].to_numpy("float64"), theirs[column].to_numpy("float64"))
        return verdict(
            found, self.max, f"KL divergence of scores is {found:.3f} over {len(mine)} rows, at most {self.max:g}"
        )


def divergence(p: npt.NDArray[np.float64], q: npt.NDArray[np.float64]) -> float:
    """Divergence of the scores ``p`` (in 0..1) from ``q``, in nats."""
    edges = np.linspace(0.0, 1.0, BINS + 1)
    shares = [(np.histogram(np.clip(x, 0.0, 1.0), edges)[0] + _PRIOR) / (len(x) + _PRIOR * BINS) for x in (p, q)]
    return float(np.sum(shares[0] * np.log(shares[0] / shares[1])))
