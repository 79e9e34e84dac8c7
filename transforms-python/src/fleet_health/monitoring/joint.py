"""All features together: maximum mean discrepancy and correlations, on seeded samples of vectors.

Whole vectors can move while every single feature stays where it was. The cost grows with the square of the rows, so a
sample of fixed size is asked, and only when several features moved.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

SAMPLE = 2000
PERMUTATIONS = 200
LINK = 0.4
"""Correlations of training from which on a pair counts as linked."""
LEAST = 100
"""Vectors below which nothing is said."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Joint:
    """``p_value``: share of permutations with at least the discrepancy that was found."""

    mmd: float
    p_value: float
    correlation_change: float | None


def drawn(rows: DataFrame, seed: int, size: int = SAMPLE) -> pd.DataFrame:
    """``size`` vectors, the same ones for the same seed whatever the partitions; column ``feature_vector``."""
    lot = F.xxhash64(F.lit(seed), F.col("device_id"), F.unix_micros("window_start"))
    # as many rows as are drawn
    return rows.orderBy(lot, "device_id", "window_start").limit(size).select("feature_vector").toPandas()


def joint(now: Array, then: Array, seed: int, permutations: int = PERMUTATIONS) -> Joint | None:
    """Compares two samples of vectors, one row each; null below :data:`LEAST` of either.

    Features are standardised by ``then``; those that are constant there are left out. The kernel is Gaussian, as wide
    as the median distance of the pooled sample.
    """
    if min(len(now), len(then)) < LEAST:
        return None
    spread = then.std(axis=0)
    varies = spread > 0.0
    if not varies.any():
        return None
    centre = then[:, varies].mean(axis=0)
    pooled = ((np.vstack([now, then])[:, varies] - centre) / spread[varies]).astype(np.float32)
    squares = (pooled**2).sum(axis=1)
    apart = np.maximum(squares[:, None] + squares[None, :] - 2.0 * pooled @ pooled.T, 0.0)
    width = float(np.median(apart[:: max(len(apart) // 500, 1)])) or 1.0
    kernel = np.exp(-apart / width)
    np.fill_diagonal(kernel, 0.0)
    found, n = _discrepancy(kernel, np.arange(len(pooled)) < len(now)), len(now)
    random = np.random.default_rng(seed)
    beyond = 0
    for _ in range(permutations):
        side = np.zeros(len(pooled), dtype=bool)
        side[random.permutation(len(pooled))[:n]] = True
        beyond += _discrepancy(kernel, side) >= found
    return Joint(found, (beyond + 1) / (permutations + 1), _correlation_change(now[:, varies], then[:, varies]))


def _discrepancy(kernel: Array, side: NDArray[np.bool_]) -> float:
    """The unbiased estimate of the squared discrepancy between ``side`` and the rest."""
    n, m = int(side.sum()), int((~side).sum())
    sign = side.astype(np.float32)
    rows = kernel @ sign
    within = float(sign @ rows)
    across = float((1.0 - sign) @ rows)
    rest = float(kernel.sum()) - within - 2.0 * across
    return within / (n * (n - 1)) + rest / (m * (m - 1)) - 2.0 * across / (n * m)


def _correlation_change(now: Array, then: Array) -> float | None:
    moving = (now.std(axis=0) > 0.0) & (then.std(axis=0) > 0.0)
    if moving.sum() < 2:
        return None
    before = np.corrcoef(then[:, moving], rowvar=False)
    linked = np.abs(np.triu(before, 1)) >= LINK
    if not linked.any():
        return None
    return float(np.abs(np.corrcoef(now[:, moving], rowvar=False) - before)[linked].max())
