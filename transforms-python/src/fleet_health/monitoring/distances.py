"""How far two distributions lie apart, from counts over the same bins; every function is pure.

A bin holds the values from its left edge up to, and without, its right one; the first and the last are open. Counts
come from :mod:`fleet_health.monitoring.sketch`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

SMOOTHING = 0.5
"""Added to every bin on both sides, so that an empty bin has a finite distance."""
BANDS = 10
"""Equally full bands of the reference, beside one for zero and one for null."""
RECORDED_ROWS = 2000
"""At fleet size every p-value is zero, so the recorded one is that of so many rows."""

Array = NDArray[Any]


@dataclass(frozen=True)
class Distances:
    """Effect sizes of one feature; ``*_p`` are for the record.

    Attributes:
        psi: population stability index over the bands.
        kl: larger of both Kullback-Leibler divergences over the bands, nats.
        ks: largest gap between the distribution functions at the edges.
        ks_p: its p-value as if at most :data:`RECORDED_ROWS` rows had been drawn.
        ks_error: what ``ks`` may be too small by: the fullest bin of the reference that holds more than one value.
        wasserstein: area between the distribution functions, in the unit of the feature.
        cramers_v: association of band and side, 0 to 1.
        chi_squared_p: p-value of the chi-squared test behind it.
    """

    psi: float
    kl: float
    ks: float
    ks_p: float
    ks_error: float
    wasserstein: float
    cramers_v: float
    chi_squared_p: float


def bands(reference: Array, edges: Array) -> NDArray[np.intp]:
    """The band of each bin: 0 to 9 for equally full parts of the reference without zero, 10 for zero.

    A value that holds several parts alone keeps its bin in one band, and the others stay empty on both sides.
    """
    zero = zero_bin(edges)
    mass = reference.astype(np.float64)
    if zero is not None:
        mass[zero] = 0.0
    total = mass.sum()
    middle = (np.cumsum(mass) - mass / 2.0) / total if total else np.zeros(len(mass))
    found = np.minimum((middle * BANDS).astype(np.intp), BANDS - 1)
    if zero is not None:
        found[zero] = BANDS
    return found


def zero_bin(edges: Array) -> int | None:
    """The bin that holds zero and nothing else, where the edges set it apart."""
    place = int(np.searchsorted(edges, 0.0, side="right"))
    alone = 0 < place < len(edges) and edges[place - 1] == 0.0 and edges[place] == np.nextafter(0.0, 1.0)
    return place if alone else None


def shares_by_band(counts: Array, nulls: int, found: NDArray[np.intp]) -> Array:
    """Twelve counts: ten bands, zero, null."""
    return np.append(np.bincount(found, weights=counts, minlength=BANDS + 1), float(nulls))


def distances(now: Array, then: Array) -> tuple[float, float]:
    """Population stability index and the larger of both KL divergences (nats) of counts per band, smoothed."""
    p = (now + SMOOTHING) / (now + SMOOTHING).sum()
    q = (then + SMOOTHING) / (then + SMOOTHING).sum()
    ratio = np.log(p / q)
    return float(((p - q) * ratio).sum()), float(max((p * ratio).sum(), -(q * ratio).sum()))


def psi_noise(now: int, then: int) -> float:
    """What the index shows on average when nothing moved: one part per free band and row of either side."""
    return (BANDS + 1) * (1.0 / now + 1.0 / then) if now > 0 and then > 0 else math.inf


def association(now: Array, then: Array) -> tuple[float, float]:
    """Cramer's V between side and category, and the p-value of chi-squared; (0, 1) where there is only one category."""
    table = np.vstack([now, then])
    table = table[:, table.sum(axis=0) > 0]
    if table.shape[1] < 2 or (table.sum(axis=1) == 0).any():
        return 0.0, 1.0
    found = stats.chi2_contingency(table, correction=False)
    return float(math.sqrt(found.statistic / table.sum())), float(found.pvalue)


def gaps(now: Array, then: Array) -> Array:
    """Distribution function now minus then, at every edge; zeros where a side has no value."""
    if not now.sum() or not then.sum():
        return np.zeros(len(now) - 1)
    gap: Array = np.cumsum(now)[:-1] / now.sum() - np.cumsum(then)[:-1] / then.sum()
    return gap


def ks_error(then: Array, edges: Array) -> float:
    """The largest share of the reference in a bin with room for two values: between its edges nobody looked."""
    if not then.sum():
        return 1.0
    single = np.zeros(len(then), dtype=bool)
    single[1:-1] = np.nextafter(edges[:-1], np.inf) >= edges[1:]
    return float(then[~single].max(initial=0) / then.sum())


def area(gap: Array, edges: Array, low: float, high: float, difference: float) -> float:
    """Wasserstein distance; between edges the gap is a straight line, and falls to nothing at the extremes.

    The area with its sign is the difference of the means, which is known exactly; what straight lines miss of it lies
    beyond the outermost edges. Off by at most the width of a bin times what it holds, and beyond the training extremes,
    where there is no bin, by the shape of the tail.

    Args:
        gap: distribution function now minus then, at each edge.
        edges: the inner edges.
        low: smallest value of both sides.
        high: largest value of both sides.
        difference: mean then minus mean now.
    """
    places = np.clip(edges, low, high)
    left, right, width = gap[:-1], gap[1:], np.diff(places)
    with np.errstate(divide="ignore", invalid="ignore"):
        crossed = (left**2 + right**2) / (2.0 * (np.abs(left) + np.abs(right)))
    inner = np.where(left * right < 0, crossed, (np.abs(left) + np.abs(right)) / 2.0)
    tails = np.array([gap[0] * (places[0] - low) / 2.0, gap[-1] * (high - places[-1]) / 2.0])
    missed = difference - float(((left + right) / 2.0 * width).sum()) - tails.sum()
    if np.abs(tails).sum():
        tails += missed * np.abs(tails) / np.abs(tails).sum()
    return float((inner * width).sum() + np.abs(tails).sum())


def compare(
    now: Array,
    nulls_now: int,
    then: Array,
    nulls_then: int,
    edges: Array,
    extremes: tuple[float, float],
    means: tuple[float, float],
) -> Distances:
    """All distances of one feature.

    Args:
        now: counts per bin of the period, without nulls.
        nulls_now: its nulls.
        then: counts of the reference over the same bins.
        nulls_then: its nulls.
        edges: inner edges of the bins, one fewer than bins.
        extremes: smallest and largest value of both sides together.
        means: of the period, and of the reference.
    """
    found = bands(then, edges)
    p, q = shares_by_band(now, nulls_now, found), shares_by_band(then, nulls_then, found)
    psi, kl = distances(p, q)
    gap = gaps(now, then)
    ks = float(np.abs(gap).max(initial=0.0))
    n, m = min(int(now.sum()), RECORDED_ROWS), int(then.sum())
    ks_p = float(stats.kstwobign.sf(ks * math.sqrt(n * m / (n + m)))) if n and m else 1.0
    v, p_value = association(p, q)
    return Distances(
        psi, kl, ks, ks_p, ks_error(then, edges), area(gap, edges, *extremes, means[1] - means[0]), v, p_value
    )
