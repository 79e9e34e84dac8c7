"""From files to devices: readings meet in one task per device and span of time, as parcels of whole columns.

A shuffle row by row costs more than all statistics. Here the worker that reads a file sorts its readings by the task
they go to and hands Spark one row per task, a few cells of bytes, so that the shuffle copies bytes and knows no rows.
How many tasks there are follows from the bytes of the files, so neither Spark nor a worker holds more than a task's
share, however large the fleet.
"""

from __future__ import annotations

import itertools
import json
import math
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from fleet_health.features.files import CleanFile, read_readings
from fleet_health.features.kernel import Ints
from fleet_health.features.readings import Readings, summarised_sensors
from fleet_health.features.wanted import Wanted
from fleet_health.profiles.model import Profile

TASK_BYTES = 16_000_000
"""Of Parquet; some 150,000 readings, 20 MB in memory."""

_PARCEL = pa.schema(
    [
        ("task", pa.int32()),
        ("devices", pa.binary()),
        ("whole", pa.binary()),
        ("facts", pa.binary()),
        ("values", pa.binary()),
    ]
)
_LANDED, _FLAGGED, _NULLS = 1, 2, 2


@dataclass(frozen=True)
class Tasks:
    """Which task a reading goes to: by its span of time and a hash of its device.

    Attributes:
        span: microseconds; no window crosses from one to the next.
        spans: how many follow one another before the first task's turn comes again.
        shares: among how many tasks the devices of a span are divided.
    """

    span: int
    spans: int
    shares: int

    @classmethod
    def for_files(cls, files: Sequence[CleanFile], span: int) -> Tasks:
        """As many as their bytes need: by days first, and the devices of a day where it alone is too much for one."""
        needed = max(1, math.ceil(sum(file.size for file in files) / TASK_BYTES))
        spans = min(needed, len({file.day for file in files}))
        return cls(span, spans, math.ceil(needed / spans))

    @property
    def count(self) -> int:
        return self.spans * self.shares

    def of(self, readings: Readings) -> Ints:
        """The task of every reading."""
        names = readings.devices.to_pylist()
        share = np.array([zlib.crc32(name.encode()) % self.shares for name in names], dtype=np.int64)
        tasks: Ints = readings.micros // self.span % self.spans * self.shares + share[readings.codes]
        return tasks


def exchanged(
    session: SparkSession,
    filesystems: dict[bool, Any],
    files: Sequence[CleanFile],
    wanted: Wanted,
    profile: Profile,
    tasks: Tasks,
) -> DataFrame:
    """Parcels, all those of a task in one partition.

    Args:
        session: makes the frame.
        filesystems: of ``clean_sensor_readings``; what landed is read from that of ``True``.
        files: what is read; not empty.
        wanted: which readings are needed.
        profile: the sensors.
        tasks: who gets what.
    """
    readers = min(len(files), max(session.sparkContext.defaultParallelism, tasks.count))
    numbers = _numbers_of_partitions(tasks.count)

    def read(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for reader in batch.column(0).to_pylist():
                for file in files[reader::readers]:
                    with filesystems[file.landed].open(file.path, "rb") as stream:
                        for readings in read_readings(stream, profile, wanted, landed=file.landed):
                            yield from parcels(readings, tasks, numbers)

    schema = "task int, devices binary, whole binary, facts binary, values binary"
    return session.range(0, readers, 1, readers).mapInArrow(read, schema).repartition(tasks.count, "task")


def parcels(readings: Readings, tasks: Tasks, numbers: Sequence[int]) -> Iterator[pa.RecordBatch]:
    """One row per task that gets some of ``readings``; ``numbers`` says what a task is called in it."""
    task = tasks.of(readings)
    order = _sorted_by(task * len(readings.devices) + readings.codes)
    task, codes = task[order], readings.codes[order]
    values = readings.values.take(order, axis=0, mode="clip")
    whole = np.stack([readings.micros[order], readings.received[order]])
    facts = ((readings.null_count << _NULLS) + readings.flagged * _FLAGGED + readings.landed * _LANDED)[order]
    edges = [0, *(np.flatnonzero(task[1:] != task[:-1]) + 1).tolist(), len(order)]
    for first, last in itertools.pairwise(edges):
        another = np.append(True, codes[first + 1 : last] != codes[first : last - 1])
        names = json.dumps(readings.devices.take(pa.array(codes[first:last][another])).to_pylist())
        small = np.stack([np.cumsum(another) - 1, facts[first:last]]).astype(np.int32)
        cells = (names.encode(), whole[:, first:last].tobytes(), small.tobytes(), values[first:last].tobytes())
        yield pa.RecordBatch.from_arrays(
            [pa.array([numbers[task[first]]], pa.int32()), *(pa.array([cell], pa.binary()) for cell in cells)],
            schema=_PARCEL,
        )


def _sorted_by(keys: Ints) -> Ints:
    """Equal keys stay in their order; numpy sorts numbers of 16 bits by digits, which is several times as fast."""
    small = keys.astype(np.uint16) if len(keys) and keys.max() < 1 << 16 else keys
    return np.argsort(small, kind="stable")


def unpacked(batches: Iterable[pa.RecordBatch], profile: Profile) -> Readings | None:
    """All parcels of a task as one; ``None`` when there are none."""
    sensors = len(summarised_sensors(profile))
    parts = []
    for batch in batches:
        for number in range(batch.num_rows):
            names, whole, small, values = (batch.column(place)[number].as_buffer() for place in range(1, 5))
            micros, received = np.frombuffer(whole, dtype=np.int64).reshape(2, -1)
            codes, facts = np.frombuffer(small, dtype=np.int32).reshape(2, -1)
            rows = np.frombuffer(values, dtype=np.float64).reshape(len(micros), sensors)
            parts.append(
                Readings(
                    devices=pa.array(json.loads(names.to_pybytes()), pa.string()),
                    codes=codes.astype(np.int64),
                    micros=micros,
                    received=received,
                    landed=facts & _LANDED != 0,
                    flagged=facts & _FLAGGED != 0,
                    null_count=(facts >> _NULLS).astype(np.int64),
                    values=rows,
                )
            )
    return Readings.joined(parts) if parts else None


def _numbers_of_partitions(count: int) -> list[int]:
    """For each of ``count`` partitions the smallest number that Spark's hash sends there.

    By their own numbers some partitions would get several tasks and others none.
    """
    found: dict[int, int] = {}
    number = 0
    while len(found) < count:
        found.setdefault(_spark_hash(number) % count, number)
        number += 1
    return [found[partition] for partition in range(count)]


def _spark_hash(number: int) -> int:
    """Murmur3 of a 32-bit number with Spark's seed; a different hash would spread tasks less evenly, nothing else."""
    mask = 0xFFFFFFFF

    def rotated(value: int, by: int) -> int:
        return ((value << by) | (value >> (32 - by))) & mask

    mixed = rotated(number * 0xCC9E2D51 & mask, 15) * 0x1B873593 & mask
    value = (rotated(42 ^ mixed, 13) * 5 + 0xE6546B64) & mask
    value ^= 4
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        value = (value ^ (value >> shift)) * factor & mask
    return value - (1 << 32) if value >= 1 << 31 else value
