"""Clean readings as numpy columns, and the one order that they have whatever files and tasks they came through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column
from pyspark.sql import functions as F

from fleet_health.features.kernel import Flags, Floats, Ints
from fleet_health.profiles.model import Profile

_CACHED_ROWS = 2_000
_BLOCK_ROWS = 60_000
"""Statistics of few rows cost as much in calls as in arithmetic, and every block is a batch for Spark to take over."""


@dataclass(frozen=True)
class Readings:
    """Readings of some devices."""

    devices: pa.Array
    """Every device once."""
    codes: Ints
    """Of each reading, where its device stands in ``devices``."""
    micros: Ints
    received: Ints
    landed: Flags
    """Whether a reading is new in this run."""
    flagged: Flags
    null_count: Ints
    values: Floats
    """A line per reading, a column per sensor in the order of :func:`summarised_sensors`; null is NaN. All that is said
    of a reading is needed together, and a line is two or three reaches into memory where columns are one per sensor."""

    def __len__(self) -> int:
        return len(self.micros)

    def take(self, rows: Ints | Flags | slice) -> Readings:
        """The readings at ``rows``, in that order."""
        if not isinstance(rows, slice) and rows.dtype == bool:
            rows = np.flatnonzero(rows)  # once, and not for each column
        return replace(
            self,
            codes=self.codes[rows],
            micros=self.micros[rows],
            received=self.received[rows],
            landed=self.landed[rows],
            flagged=self.flagged[rows],
            null_count=self.null_count[rows],
            values=self.values[rows],
        )

    @classmethod
    def joined(cls, parts: Sequence[Readings]) -> Readings:
        """All of ``parts``, which is not empty; devices stand in alphabetical order."""
        names = pc.unique(pa.concat_arrays([part.devices for part in parts]))
        devices = names.take(pc.sort_indices(names))
        places = [pc.index_in(part.devices, devices).to_numpy() for part in parts]
        return cls(
            devices=devices,
            codes=np.concatenate([place[part.codes] for place, part in zip(places, parts, strict=True)]),
            micros=np.concatenate([part.micros for part in parts]),
            received=np.concatenate([part.received for part in parts]),
            landed=np.concatenate([part.landed for part in parts]),
            flagged=np.concatenate([part.flagged for part in parts]),
            null_count=np.concatenate([part.null_count for part in parts]),
            values=np.concatenate([part.values for part in parts]),
        )


def summarised_sensors(profile: Profile) -> list[str]:
    """The sensors that some feature looks at."""
    return sorted({feature.sensor for feature in profile.features if feature.sensor is not None})


def side_by_side(columns: Sequence[Floats]) -> Floats:
    """Columns as lines of a table; some rows of all columns at a time, which stay in the processor's cache."""
    lines = np.empty((len(columns[0]), len(columns)))
    for first in range(0, len(lines), _CACHED_ROWS):
        part = slice(first, first + _CACHED_ROWS)
        for place, column in enumerate(columns):
            lines[part, place] = column[part]
    return lines


def received_micros() -> Column:
    """Receipt time; a reading without one counts as received when it was measured."""
    return F.unix_micros(F.coalesce("timestamp_ingested", "timestamp_utc"))


def ordered_blocks(
    readings: Readings, span: int, rows: int = _BLOCK_ROWS, among: Flags | None = None
) -> Iterator[Ints]:
    """Numbers of readings by device, time and content, ``rows`` or more, cut where a device or ``span`` ends.

    Equal times are told apart by everything a reading says, so the order, and with it the last digit of every sum, is
    that of the readings and not of their arrival. Only those of ``among``, if that is given, are looked at.
    """
    order = _order(readings)
    if among is not None:
        order = order[among[order]]
    codes, spans = readings.codes[order], readings.micros[order] // span
    ends = np.flatnonzero((codes[1:] != codes[:-1]) | (spans[1:] != spans[:-1])) + 1
    first = 0
    while first < len(order):
        later = np.searchsorted(ends, first + rows)
        last = int(ends[later]) if later < len(ends) else len(order)
        yield order[first:last]
        first = last


def _order(readings: Readings) -> Ints:
    codes, micros = readings.codes, readings.micros
    # numpy sorts numbers of 16 bits by digits, which is several times as fast
    few = len(readings.devices) <= 1 << 16
    order: Ints = np.lexsort((micros, codes.astype(np.uint16) if few else codes))
    in_order = codes[order], micros[order]
    same = (in_order[0][1:] == in_order[0][:-1]) & (in_order[1][1:] == in_order[1][:-1])
    if same.any():
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        rows = order[tied]
        content = readings.values[rows].view(np.int64).T
        told = (readings.null_count[rows], readings.flagged[rows], readings.landed[rows], readings.received[rows])
        order[tied] = rows[np.lexsort((*content, *told, micros[rows], codes[rows]))]
    return order
