"""Random signals: stationary AR(1) noise with chosen correlations, and boolean runs; one generator draws all."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_LARGEST = 1e150
"""Powers of ``1 / phi`` beyond it would leave the range of numbers once they are multiplied by a value."""


def autoregressive(rng: np.random.Generator, sensors: int, length: int, phi: float) -> Floats:
    """``sensors`` independent AR(1) series of unit variance, shape (sensors, length).

    The first value is drawn from the stationary distribution, so no warm-up is needed: the marginal is standard normal
    at every minute and the lag-1 autocorrelation is ``phi``.
    """
    series = rng.standard_normal((sensors, length))
    innovation = np.sqrt(1.0 - phi * phi)
    if phi == 0.0:
        return series
    shrinking, growing = _powers(phi, length)
    growing = growing * innovation
    for first in range(0, length, growing.size):
        part = series[:, first : first + growing.size]
        start = innovation * part[:, 0] + phi * series[:, first - 1] if first else part[:, 0].copy()
        # y(t) / phi^t is a plain running sum, which numpy adds up in order: the same bits on every machine
        part *= growing[: part.shape[1]]
        part[:, 0] = start
        np.cumsum(part, axis=1, out=part)
        part *= shrinking[: part.shape[1]]
    return series


@lru_cache(maxsize=4)
def _powers(phi: float, length: int) -> tuple[Floats, Floats]:
    """``phi`` to the powers 0, 1, 2 ... and their inverses, as many as stay in the range of numbers."""
    most = max(1, int(np.log(_LARGEST) / -np.log(phi)))
    steps = np.full(min(length, most), phi)
    steps[0] = 1.0
    shrinking = np.cumprod(steps)
    return shrinking, 1.0 / shrinking


def correlate(signals: Floats, parents: Mapping[int, tuple[int, float]]) -> Floats:
    """Mixes each child with its parent: ``child = rho * parent + sqrt(1 - rho^2) * child``.

    Mixing this way keeps unit variance and, because both are AR(1) with one ``phi``, the time structure too.
    ``parents`` maps a row to (parent row, rho) and lists parents before their children.
    """
    for child, (parent, rho) in parents.items():
        signals[child] = rho * signals[parent] + np.sqrt(1.0 - rho * rho) * signals[child]
    return signals


def periodic_runs(
    rng: np.random.Generator, length: int, minutes: tuple[float, float], every_minutes: tuple[float, float], step: float
) -> NDArray[np.bool_]:
    """True in contiguous runs of ``minutes`` that start ``every_minutes`` apart; the first start is anywhere in a
    period.
    """
    total = length * step
    periods = int(total / every_minutes[0]) + 2
    gaps = rng.uniform(*every_minutes, periods)
    starts = np.cumsum(gaps) - gaps[0] * rng.uniform(0.0, 1.0)
    starts = np.concatenate(([starts[0] - every_minutes[1]], starts))
    durations = rng.uniform(*minutes, starts.size)
    return _mark(length, starts / step, (starts + durations) / step)


def share_runs(
    rng: np.random.Generator, length: int, minutes: tuple[float, float], share: float, step: float
) -> NDArray[np.bool_]:
    """True in runs of ``minutes`` at random moments, covering ``share`` of the time on average."""
    mean = (minutes[0] + minutes[1]) / 2.0
    gap = mean * (1.0 - share) / share
    runs = int(length * step / (mean + gap) * 2.0) + 20
    durations = rng.uniform(*minutes, runs)
    gaps = rng.exponential(gap, runs)
    ends = np.cumsum(gaps + durations) - mean
    return _mark(length, (ends - durations) / step, ends / step)


def _mark(length: int, starts: Floats, ends: Floats) -> NDArray[np.bool_]:
    first, last = (np.minimum(np.maximum(np.rint(edge), 0), length).astype(np.int64) for edge in (starts, ends))
    edges = np.bincount(first, minlength=length + 1) - np.bincount(last, minlength=length + 1)
    return np.cumsum(edges[:length]) > 0
