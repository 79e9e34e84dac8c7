"""95 percent intervals of what was counted."""

from __future__ import annotations

import math


def interval(hits: int, tried: int) -> tuple[float, float]:
    """Wilson's 95 percent interval of a share."""
    if not tried:
        return 0.0, 1.0
    z, share = 1.96, hits / tried
    centre = (share + z * z / (2 * tried)) / (1 + z * z / tried)
    half = z * math.sqrt(share * (1 - share) / tried + z * z / (4 * tried * tried)) / (1 + z * z / tried)
    return max(centre - half, 0.0), min(centre + half, 1.0)


def rate_interval(events: int, exposure: float) -> tuple[float, float]:
    """Exact 95 percent interval of a Poisson rate."""
    from scipy.stats import chi2

    low = chi2.ppf(0.025, 2 * events) / 2 if events else 0.0
    return float(low / exposure), float(chi2.ppf(0.975, 2 * events + 2) / 2 / exposure)
