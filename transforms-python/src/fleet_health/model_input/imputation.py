"""Missing values: the device's own most recent one, else a frozen training median, else none. Never zero.

0 degC, 0 kPa and 0 A are extreme values of a machine, not absent ones. A window takes only from earlier windows of the
same device and length, and from constants that were frozen with the model, so no vector depends on its batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

HOUR_MICROS = 3_600_000_000
_NEVER = np.iinfo(np.int64).min // 4


@dataclass(frozen=True)
class FillConstants:
    """What one model version froze, in the order of its vector.

    Attributes:
        names: the features.
        medians: training median of the fleet; NaN where training never saw a value.
        cohort_medians: per feature, cohort -> training median; empty without cohorts.
    """

    names: tuple[str, ...]
    medians: tuple[float, ...]
    cohort_medians: tuple[Mapping[str, float], ...] = ()

    def for_cohorts(self, cohorts: Sequence[str | None]) -> Floats:
        """One row of medians per cohort; the fleet's where there is no cohort, or none was frozen for it."""
        fleet = np.asarray(self.medians, dtype=np.float64)
        if not self.cohort_medians:
            return np.tile(fleet, (len(cohorts), 1))
        own = [[per.get(one, np.nan) if one else np.nan for per in self.cohort_medians] for one in cohorts]
        found = np.asarray(own, dtype=np.float64).reshape(len(cohorts), len(fleet))
        return np.where(np.isnan(found), fleet, found)


@dataclass(frozen=True)
class Memory:
    """The newest value of every feature of one device and window length, and when its window ended."""

    device_id: str
    minutes: int
    values: Floats
    times: Ints


def carried_forward(
    values: Floats, times: Ints, first: Bools, max_age: Ints, before: Memory | None = None
) -> tuple[Floats, Floats, Ints]:
    """Every missing value replaced by the most recent earlier one that is not too old.

    Args:
        values: rows by features, ordered by device, length and time; missing is NaN.
        times: end of each row's window, microseconds.
        first: whether a row begins another device or length. The first row does not when ``before`` goes on.
        max_age: how much older a value may be, per row, microseconds; exactly that old still counts.
        before: what the rows before the first one left behind.

    Returns:
        the values (NaN where nothing was recent enough), and the newest value and its time of the last row's device.
    """
    rows = np.arange(len(values))
    start = np.maximum.accumulate(np.where(first, rows, 0))
    present = ~np.isnan(values)
    last = np.maximum.accumulate(np.where(present, rows[:, None], -1), axis=0)
    inside = last >= start[:, None]
    newest = np.where(inside, np.take_along_axis(values, np.maximum(last, 0), axis=0), np.nan)
    when = np.where(inside, times[np.maximum(last, 0)], _NEVER)
    if before is not None and not first[0]:
        goes_on = (start == 0)[:, None] & ~inside
        newest = np.where(goes_on, before.values, newest)
        when = np.where(goes_on, before.times, when)
    recent = times[:, None] - when <= max_age[:, None]
    return np.where(present, values, np.where(recent, newest, np.nan)), newest[-1], when[-1]


class Filler:
    """Fills one ordered stream of windows, batch by batch; a device may go on from one batch to the next."""

    def __init__(self, constants: FillConstants, max_age_hours: Callable[[int], float]) -> None:
        self._constants, self._max_age_hours = constants, max_age_hours
        self._memory: Memory | None = None

    def fill(self, batch: pd.DataFrame) -> tuple[Floats, NDArray[np.int32], Bools]:
        """The vectors of a batch.

        Args:
            batch: the next windows in the order of ``device_id``, ``window_duration_minutes``, ``micros`` (end of the
                window), with ``cohort_id`` and one column per feature.

        Returns:
            vectors, how many values of each were filled, and which are still missing.
        """
        values = batch[list(self._constants.names)].to_numpy(dtype=np.float64, na_value=np.nan)
        devices = batch["device_id"].to_numpy(dtype=object)
        minutes = batch["window_duration_minutes"].to_numpy(dtype=np.int64)
        times = batch["micros"].to_numpy(dtype=np.int64)
        first = np.ones(len(batch), dtype=bool)
        first[1:] = (devices[1:] != devices[:-1]) | (minutes[1:] != minutes[:-1])
        memory = self._memory
        first[0] = memory is None or (memory.device_id, memory.minutes) != (devices[0], minutes[0])
        limits = {int(one): round(self._max_age_hours(int(one)) * HOUR_MICROS) for one in np.unique(minutes)}
        max_age = np.asarray([limits[int(one)] for one in minutes], dtype=np.int64)
        forward, newest, when = carried_forward(values, times, first, max_age, memory)
        self._memory = Memory(str(devices[-1]), int(minutes[-1]), newest, when)
        codes, cohorts = pd.factorize(batch["cohort_id"].astype(object), use_na_sentinel=True)
        medians = self._constants.for_cohorts([*map(str, cohorts), None])[codes]  # code -1 is the last row: no cohort
        vectors = np.where(np.isnan(forward), medians, forward)
        missing = np.isnan(vectors)
        return vectors, (np.isnan(values) & ~missing).sum(axis=1).astype(np.int32), missing
