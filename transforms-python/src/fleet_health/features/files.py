"""Clean readings straight from their Parquet files, by whichever worker a file falls to.

Handing a row from Spark to Python costs more than everything that is done with it there, and more than reading it.
So workers read the files of ``clean_sensor_readings`` themselves: only the columns that features look at, only the
days and row groups in which needed readings may lie.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import IO, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from fleet_health.contracts.clean import CLOCK_DRIFT, PARTITION
from fleet_health.features.errors import NotANumberInCleanError
from fleet_health.features.kernel import Flags, Floats
from fleet_health.features.lateness import MICROS_PER_DAY
from fleet_health.features.readings import Readings, side_by_side, summarised_sensors
from fleet_health.features.wanted import Wanted
from fleet_health.profiles.model import Profile

_DAY = re.compile(rf"(?:^|/){PARTITION[0]}=(\d{{4}}-\d\d-\d\d)/")
_EPOCH = date(1970, 1, 1).toordinal()
_SLICE_ROWS = 1 << 16
_INSTANT = pa.timestamp("us", "UTC")


@dataclass(frozen=True)
class CleanFile:
    """One file of ``clean_sensor_readings``: its size in bytes, and its UTC day since 1970 if its folder names one."""

    path: str
    size: int
    landed: bool
    day: int | None


def files_of(filesystem: Any, wanted: Wanted, *, landed: bool) -> list[CleanFile]:
    """The files in which needed readings may lie, by path.

    Args:
        filesystem: of ``clean_sensor_readings``, in one read mode.
        wanted: which readings are needed.
        landed: whether they are new in this run.
    """
    found = []
    for status in filesystem.ls(glob="**/*.parquet"):
        named = _DAY.search(status.path)
        day = date.fromisoformat(named[1]).toordinal() - _EPOCH if named else None
        if day is None or wanted.may_lie_in(day * MICROS_PER_DAY, (day + 1) * MICROS_PER_DAY - 1):
            found.append(CleanFile(status.path, status.size, landed, day))
    return sorted(found, key=lambda file: file.path)


def read_readings(stream: IO[bytes], profile: Profile, wanted: Wanted, *, landed: bool) -> Iterator[Readings]:
    """The needed readings of one file, some ten thousand rows at a time.

    Args:
        stream: a Parquet file of ``clean_sensor_readings``; a column that it does not have yet is null.
        profile: sensors, and whether readings with a drifting clock count.
        wanted: which readings are needed.
        landed: whether they are new in this run.

    Raises:
        NotANumberInCleanError: a sensor holds NaN; the first such device and sensor are named.
    """
    # not buffered: pyarrow 17 then takes a page's header from the wrong place now and then, in files whose columns are
    # longer than the buffer
    file = pq.ParquetFile(stream)
    there = file.schema_arrow.names
    sensors = summarised_sensors(profile)
    own = ["device_id", "timestamp_utc", "timestamp_ingested", "quality_flags", "sensor_null_count"]
    groups = [group for group in range(file.num_row_groups) if _may_hold(file, group, wanted)]
    names = [name for name in own + sensors if name in there]
    for batch in file.iter_batches(_SLICE_ROWS, row_groups=groups, columns=names, use_threads=False):
        rows = batch
        if profile.exclude_clock_drift is not None and profile.exclude_clock_drift.value:
            rows = _without(rows, CLOCK_DRIFT)
        readings = wanted.of(_readings(rows, sensors, landed))
        if len(readings):
            yield readings


def instants_of(file: pq.ParquetFile, name: str) -> tuple[int, int] | None:
    """Between which microseconds the values of a column lie, by what is stored about them; ``None`` if nothing tells.

    A file with nulls in it does not tell either: what stands for them is not known.
    """
    found = [instants_of_group(file, group, name) for group in range(file.num_row_groups)]
    known = [limits for limits in found if limits is not None]
    if not known or len(known) < len(found):
        return None
    return min(first for first, _ in known), max(last for _, last in known)


def instants_of_group(file: pq.ParquetFile, group: int, name: str) -> tuple[int, int] | None:
    """The same for one row group."""
    if name not in file.schema_arrow.names:
        return None
    statistics = file.metadata.row_group(group).column(_leaf(file, name)).statistics
    plain = file.schema_arrow.field(name).type in (_INSTANT, pa.timestamp("us"))
    if not plain or statistics is None or not statistics.has_min_max or statistics.physical_type != "INT64":
        return None
    if not statistics.has_null_count or statistics.null_count:
        return None
    return statistics.min_raw, statistics.max_raw


def _may_hold(file: pq.ParquetFile, group: int, wanted: Wanted) -> bool:
    """Not when the statistics of the row group say that its readings lie elsewhere."""
    limits = instants_of_group(file, group, "timestamp_utc")
    return limits is None or wanted.may_lie_in(*limits)


def _leaf(file: pq.ParquetFile, name: str) -> int:
    """Where a column stands among those that Parquet stores, in which a list has an entry of its own."""
    return next(number for number in range(len(file.schema)) if file.schema.column(number).path == name)


def _without(rows: pa.RecordBatch, flag: str) -> pa.RecordBatch:
    flags = rows.column("quality_flags")
    having = pc.list_parent_indices(flags).filter(pc.equal(pc.list_flatten(flags), flag)).to_numpy()
    if not len(having):
        return rows
    kept = np.ones(rows.num_rows, dtype=bool)
    kept[having] = False
    return rows.filter(pa.array(kept))


def _readings(rows: pa.RecordBatch, sensors: list[str], landed: bool) -> Readings:
    devices = rows.column("device_id")
    encoded = devices if pa.types.is_dictionary(devices.type) else devices.dictionary_encode()
    codes = encoded.indices.to_numpy().astype(np.int64)
    instants = rows.column("timestamp_utc").cast(_INSTANT)
    received = pc.coalesce(rows.column("timestamp_ingested").cast(_INSTANT), instants)
    return Readings(
        devices=encoded.dictionary.cast(pa.string()),
        codes=codes,
        micros=instants.cast(pa.int64()).to_numpy(),
        received=received.cast(pa.int64()).to_numpy(),
        landed=np.full(rows.num_rows, landed),
        flagged=_any_flag(rows.column("quality_flags")),
        null_count=rows.column("sensor_null_count").to_numpy().astype(np.int64),
        values=side_by_side([_numbers(rows, name, devices) for name in sensors]),
    )


def _any_flag(flags: pa.Array) -> Flags:
    found: Flags = pc.fill_null(pc.greater(pc.list_value_length(flags), 0), False).to_numpy(zero_copy_only=False)
    return found


def _numbers(rows: pa.RecordBatch, name: str, devices: pa.Array) -> Floats:
    if name not in rows.schema.names:
        return np.full(rows.num_rows, np.nan)
    column = rows.column(name)
    numbers: Floats = column.cast(pa.float64()).to_numpy(zero_copy_only=False)
    if np.count_nonzero(np.isnan(numbers)) != column.null_count:
        wrong = np.isnan(numbers) & column.is_valid().to_numpy(zero_copy_only=False)
        raise NotANumberInCleanError(devices[int(wrong.argmax())].as_py(), name)
    return numbers
