"""Clean readings as numpy columns, and the one order that they have whatever files and tasks they came through."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray
from pyspark.sql import Column
from pyspark.sql import functions as F

from fleet_health.features.kernel import Floats, Ints
from fleet_health.profiles.model import Profile

Flags = NDArray[np.bool_]

_BLOCK_ROWS = 20_000
"""Statistics of few rows cost as much in calls as in arithmetic, those of many leave the processor's cache."""


@dataclass(frozen=True)
class Readings:
    """Readings of some devices; nulls of ``values`` are NaN."""

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
    values: dict[str, Floats]

    def __len__(self) -> int:
        return len(self.micros)

    def take(self, rows: Ints | Flags | slice) -> Readings:
        """The readings at ``rows``, in that order."""
        return replace(
            self,
            codes=self.codes[rows],
            micros=self.micros[rows],
            received=self.received[rows],
            landed=self.landed[rows],
            flagged=self.flagged[rows],
            null_count=self.null_count[rows],
            values={name: column[rows] for name, column in self.values.items()},
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
            values={name: np.concatenate([part.values[name] for part in parts]) for name in parts[0].values},
        )


def summarised_sensors(profile: Profile) -> list[str]:
    """The sensors that some feature looks at."""
    return sorted({feature.sensor for feature in profile.features if feature.sensor is not None})


def received_micros() -> Column:
    """Receipt time; a reading without one counts as received when it was measured."""
    return F.unix_micros(F.coalesce("timestamp_ingested", "timestamp_utc"))


def ordered_blocks(readings: Readings, span: int, rows: int = _BLOCK_ROWS) -> Iterator[Readings]:
    """By device, time and content, at least ``rows`` at a time, cut where a device or ``span`` microseconds end.

    Equal times are told apart by everything a reading says, so the order, and with it the last digit of every sum, is
    that of the readings and not of their arrival.
    """
    order = _order(readings)
    codes, spans = readings.codes[order], readings.micros[order] // span
    ends = np.flatnonzero((codes[1:] != codes[:-1]) | (spans[1:] != spans[:-1])) + 1
    first = 0
    while first < len(order):
        later = np.searchsorted(ends, first + rows)
        last = int(ends[later]) if later < len(ends) else len(order)
        yield readings.take(order[first:last])
        first = last


def _order(readings: Readings) -> Ints:
    codes, micros = readings.codes, readings.micros
    order: Ints = np.lexsort((micros, codes))
    in_order = codes[order], micros[order]
    same = (in_order[0][1:] == in_order[0][:-1]) & (in_order[1][1:] == in_order[1][:-1])
    if same.any():
        tied = np.flatnonzero(np.append(same, False) | np.append(False, same))
        rows = order[tied]
        content = [column[rows].view(np.int64) for column in readings.values.values()]
        told = (readings.null_count[rows], readings.flagged[rows], readings.landed[rows], readings.received[rows])
        order[tied] = rows[np.lexsort((*content, *told, micros[rows], codes[rows]))]
    return order
