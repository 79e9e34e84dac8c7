"""Partial states of windows, for readings that arrive in parts: what a part knows of a sensor, and how parts merge.

A state holds, per group and over the readings in which the sensor is present: how many, their mean, the sum of squared
distances from it (M2), the sums of time, of its square and of time by value, the smallest and the largest value. That
is enough for mean, std, min, max, slope and fraction; a percentile needs the readings themselves. Time is minutes since
the start of the *window*, whatever part a reading lies in. Merging rounds differently from one pass, so the pipeline
summarises raw readings; a stream that cannot wait for them agrees with it to nine digits.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from fleet_health.features.kernel import Centred, Floats, Groups


@dataclass(frozen=True)
class PartialStates:
    """One sensor; every array has one element per group. Without any value: count 0, mean 0, low inf, high -inf."""

    count: Floats
    mean: Floats
    m2: Floats
    sum_x: Floats
    sum_xx: Floats
    sum_xy: Floats
    low: Floats
    high: Floats

    @classmethod
    def of(cls, values: Floats, minutes: Floats, groups: Groups) -> PartialStates:
        """States of consecutive groups of readings; null is NaN."""
        sensor = Centred.of(values, groups)
        time = np.where(sensor.absent, 0.0, groups.laid_out(minutes))
        some = sensor.count > 0
        return cls(
            count=sensor.count,
            mean=np.where(some, sensor.mean, 0.0),
            m2=sensor.squares,
            sum_x=groups.total_laid_out(time),
            sum_xx=groups.total_laid_out(time * time),
            sum_xy=groups.total_laid_out(time * np.where(sensor.absent, 0.0, sensor.values)),
            low=np.where(some, sensor.low, np.inf),
            high=np.where(some, sensor.high, -np.inf),
        )

    def merged(self, window: Groups) -> PartialStates:
        """The states of windows whose parts are consecutive groups of this one."""
        count = window.total(self.count)
        mean = window.total(self.count * self.mean) / np.where(count > 0, count, 1.0)
        apart = np.where(self.count > 0, self.mean - mean[window.of_row], 0.0)
        return PartialStates(
            count=count,
            mean=mean,
            m2=window.total(self.m2 + self.count * apart**2),
            sum_x=window.total(self.sum_x),
            sum_xx=window.total(self.sum_xx),
            sum_xy=window.total(self.sum_xy),
            low=np.minimum.reduceat(self.low, window.starts),
            high=np.maximum.reduceat(self.high, window.starts),
        )

    def statistic(self, aggregation: str) -> Floats:
        """The values of a feature by the null rules of :mod:`fleet_health.features.kernel`.

        Raises:
            ValueError: the aggregation has no partial state.
        """
        some, enough = self.count > 0, self.count >= 2
        match aggregation:
            case "mean" | "fraction":
                return _where(some, self.mean)
            case "min":
                return _where(some, self.low)
            case "max":
                return _where(some, self.high)
            case "std":
                return np.where(enough, np.sqrt(self.m2 / np.where(enough, self.count - 1, 1.0)), np.nan)
            case "slope":
                return self._slope()
        raise ValueError(f"aggregation {aggregation!r} has no partial state that merges; it needs the readings")

    def _slope(self) -> Floats:
        count = np.where(self.count > 0, self.count, 1.0)
        spread = self.sum_xx - self.sum_x**2 / count
        together = self.sum_xy - self.sum_x * self.mean
        # of equal times the subtraction leaves rounding of the size of what was subtracted
        distinct = spread > 1e-12 * self.sum_xx
        return np.where(distinct, together / np.where(distinct, spread, 1.0), np.nan)


def _where(holds: NDArray[np.bool_], values: Floats) -> Floats:
    return np.where(holds, values, np.nan)
