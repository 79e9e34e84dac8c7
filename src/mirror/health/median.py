"""Median deviation: whether a value lies within k robust standard deviations of the median of what came before.

With ``MAD = 0`` (more than half of the values are the same) sigma is 0 and the band is the median alone: every other
value lies outside. Foundry's documents are silent here; this is what the formula says, and the loudest reading.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from mirror.checks.spread import median_and_sigma


class BoundsType(StrEnum):
    """Which side of the median is watched."""

    LOWER_BOUND = "LOWER_BOUND"
    UPPER_BOUND = "UPPER_BOUND"
    TWO_TAILED = "TWO_TAILED"


@dataclass(frozen=True)
class Band:
    """What lies within; both ends included. An end that is not watched is ``None``."""

    median: float
    sigma: float
    low: float | None
    high: float | None

    def below(self, value: float) -> bool:
        """Whether a value is too small; NaN is."""
        return self.low is not None and not value >= self.low

    def above(self, value: float) -> bool:
        """Whether a value is too large; NaN is."""
        return self.high is not None and not value <= self.high


def band(points: Sequence[float], threshold: float, kind: BoundsType = BoundsType.TWO_TAILED) -> Band:
    """The band of ``threshold`` sigmas around the median of ``points``, of which there is at least one."""
    middle, sigma = median_and_sigma(points)
    reach = threshold * sigma
    return Band(
        median=middle,
        sigma=sigma,
        low=None if kind is BoundsType.UPPER_BOUND else middle - reach,
        high=None if kind is BoundsType.LOWER_BOUND else middle + reach,
    )
