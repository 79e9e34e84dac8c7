"""Which readings a run needs: those of windows first written now, and of windows that a late reading touched."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from fleet_health.features.kernel import Flags, Ints
from fleet_health.features.readings import Readings

_WINDOWS = 1 << 36
"""More windows than there are between the first and the last instant that a timestamp has, of a minute each."""


@dataclass(frozen=True)
class Touched:
    """Windows of one length, by device.

    Attributes:
        micros: the length.
        devices: each device once.
        windows: pairs of a device and a window as whole numbers, sorted.
        first, last: the earliest start of a window and the latest end.
    """

    micros: int
    devices: pa.Array
    windows: Ints
    first: int
    last: int

    @classmethod
    def of(cls, micros: int, devices: list[str], starts: list[int]) -> Touched:
        """Window by window; neither list is empty."""
        encoded = pa.array(devices).dictionary_encode()
        start = np.array(starts, dtype=np.int64)
        keys = _keys(encoded.indices.to_numpy().astype(np.int64), start // micros)
        return cls(micros, encoded.dictionary, np.unique(keys), int(start.min()), int(start.max()) + micros)

    def holds(self, readings: Readings) -> Flags:
        """Whether a reading lies in one of the windows."""
        known = pc.fill_null(pc.index_in(readings.devices, self.devices), -1).to_numpy().astype(np.int64)
        device = known[readings.codes]
        found: Flags = (device >= 0) & np.isin(_keys(device, readings.micros // self.micros), self.windows)
        return found


@dataclass(frozen=True)
class Wanted:
    """Which readings are needed.

    Attributes:
        ranges: first and last microsecond of readings that are needed whatever their device; ``None`` for all.
        touched: windows that are needed beside them.
    """

    ranges: tuple[tuple[int, int], ...] | None = None
    touched: tuple[Touched, ...] = ()

    def may_lie_in(self, first: int, last: int) -> bool:
        """Whether a reading between these instants could be needed; both belong to it."""
        if self.ranges is None:
            return True
        reaches = [*self.ranges, *((windows.first, windows.last) for windows in self.touched)]
        return any(first <= upper and last >= lower for lower, upper in reaches)

    def of(self, readings: Readings) -> Readings:
        """The needed ones."""
        if self.ranges is None:
            return readings
        found = np.zeros(len(readings), dtype=bool)
        for first, last in self.ranges:
            found |= (readings.micros >= first) & (readings.micros <= last)
        for windows in self.touched:
            found |= windows.holds(readings)
        return readings if found.all() else readings.take(found)


def _keys(device: Ints, window: Ints) -> Ints:
    keys: Ints = device * _WINDOWS + window
    return keys
