"""How far numbers usually lie from their median.

``sigma = 1.4826 * MAD`` with ``MAD = median(|x_i - median(x)|)``; the factor makes sigma the standard deviation where
the values are normal (source: the Foundry page on health checks, "approximate standard deviation").
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median

SCALE = 1.4826
"""Makes the median absolute deviation of normal values their standard deviation."""


def median_and_sigma(values: Sequence[float]) -> tuple[float, float]:
    """The median and the robust standard deviation of at least one value; 0 where most values are the same."""
    middle = float(median(values))
    return middle, SCALE * float(median(abs(value - middle) for value in values))
