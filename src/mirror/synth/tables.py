"""The Arrow shapes written by the synthetic fleet: raw readings, registry and ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from mirror.synth.device import Device, Injected
from mirror.synth.fleet import BooleanSensor, Fleet
from mirror.synth.readings import CUT_OFF, TEXT, Readings
from mirror.synth.transport import Messages

TIME = pa.timestamp("us", tz="UTC")


Series = tuple[Device, Readings, Messages]


@dataclass(frozen=True)
class Chunk:
    """Rows as they were sent, and which of them arrive broken, as in :class:`Readings` (empty: none)."""

    table: pa.Table
    garbled: np.ndarray[Any, np.dtype[np.int8]]


class RawSchema:
    """Messages as rows of raw readings: identity, two clocks, sensors, partition key, sequence number."""

    def __init__(self, fleet: Fleet, start: datetime) -> None:
        sensors = [
            pa.field(s.name, pa.bool_() if isinstance(s, BooleanSensor) else pa.float64()) for s in fleet.sensors
        ]
        self.schema = pa.schema(
            [
                pa.field("event_id", pa.string(), nullable=False),
                pa.field("device_id", pa.string(), nullable=False),
                pa.field("timestamp_device", TIME, nullable=False),
                pa.field("timestamp_ingested", TIME, nullable=False),
                *sensors,
                pa.field("_partition_key", pa.string(), nullable=False),
                pa.field("_sequence_number", pa.int64(), nullable=False),
            ]
        )
        self._start_us = round(start.timestamp() * 1e6)
        self._first = int(start.timestamp() // fleet.interval_seconds)

    def chunk(self, series: Sequence[Series]) -> Chunk:
        """The messages of some devices, device by device.

        ``event_id`` is device and reading number, so a repeat has the same id, and a series that begins later has
        others. Columns are built for all devices at once: what a row costs is then not lost among calls.
        """
        sent = [Sent(*one) for one in series]
        sizes = np.array([one.rows.size for one in sent])
        senders = pa.array([name for one in sent for name in (one.device.device_id, one.stranger)])
        places = np.repeat(np.arange(len(sent), dtype=np.int32) * 2, sizes)
        if any(one.readings.stranger.any() for one in sent):
            places += np.concatenate([one.take(one.readings.stranger) for one in sent])
        identity = pa.DictionaryArray.from_arrays(pa.array(places), senders).dictionary_decode()
        columns = [
            _event_ids(sent, self._first),
            identity,
            pa.array(np.concatenate([one.messages.device_us for one in sent]) + self._start_us).cast(TIME),
            pa.array(np.concatenate([one.messages.ingested_us for one in sent]) + self._start_us).cast(TIME),
            *(_sensor(sent, name) for name in sent[0].readings.values),
            identity,
            pa.array(np.concatenate([np.arange(size, dtype=np.int64) for size in sizes])),
        ]
        garbled = np.zeros(0, dtype=np.int8)
        if any(one.readings.garbled.any() for one in sent):
            garbled = np.concatenate([one.take(one.readings.garbled) for one in sent])
        return Chunk(pa.Table.from_arrays(columns, schema=self.schema), garbled)


class Sent:
    """One device's messages, and how its readings become theirs."""

    def __init__(self, device: Device, readings: Readings, messages: Messages) -> None:
        self.device, self.readings, self.messages = device, readings, messages
        self.rows = messages.reading
        # Most devices send each reading once and in order: then nothing needs to be copied.
        self._all = self.rows.size == readings.minutes.size and bool((np.diff(self.rows) == 1).all())
        self.stranger = device.stranger_id

    def take(self, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """One entry per message."""
        return values if self._all else values[self.rows]


def _sensor(sent: Sequence[Sent], name: str) -> pa.Array:
    values = np.concatenate([one.take(one.readings.values[name]) for one in sent])
    missing = np.concatenate([one.take(one.readings.missing[name]) for one in sent])
    return pa.array(values, mask=missing if missing.any() else None)


DIGITS = 10


def _event_ids(sent: Sequence[Sent], first: int) -> pa.Array:
    """Device id, a hyphen, and the number of the reading in ten digits; written as bytes side by side.

    Readings are numbered on from ``first``, the intervals of the fleet that have passed since 1970.
    """
    longest = max(one.readings.minutes.size for one in sent)
    digits = np.arange(first, first + longest)[:, None] // 10 ** np.arange(DIGITS - 1, -1, -1) % 10
    numbers = (digits + ord("0")).astype(np.uint8)
    parts, lengths = [], []
    for one in sent:
        name = np.frombuffer(f"{one.device.device_id}-".encode(), dtype=np.uint8)
        text = np.empty((one.rows.size, name.size + DIGITS), dtype=np.uint8)
        text[:, : name.size] = name
        text[:, name.size :] = one.take(numbers[: one.readings.minutes.size])
        parts.append(text.ravel())
        lengths.append(np.full(one.rows.size, name.size + DIGITS, dtype=np.int32))
    widths = np.concatenate(lengths)
    offsets = np.concatenate([np.zeros(1, dtype=np.int32), np.cumsum(widths, dtype=np.int32)])
    data = np.concatenate(parts)
    return pa.StringArray.from_buffers(widths.size, pa.py_buffer(offsets), pa.py_buffer(data))


def registry_table(devices: Sequence[Device], fleet: Fleet, start: datetime) -> pa.Table:
    """One row per device, in the shape of the device registry; every device is active."""
    rate = round(3600 / fleet.interval_seconds)
    installed = start - timedelta(days=365)
    columns: dict[str, tuple[pa.DataType, list[object]]] = {
        "device_id": (pa.string(), [d.device_id for d in devices]),
        "site_id": (pa.string(), [d.site_id for d in devices]),
        "region": (pa.string(), [None] * len(devices)),
        "model": (pa.string(), [fleet.fleet] * len(devices)),
        "install_date": (pa.date32(), [installed.date()] * len(devices)),
        "firmware_version": (pa.string(), [d.firmware_version for d in devices]),
        "status": (pa.string(), ["active"] * len(devices)),
        "expected_sensors": (pa.list_(pa.string()), [list(d.expected_sensors) for d in devices]),
        "climate_zone": (pa.string(), [None] * len(devices)),
        "cohort_id": (pa.string(), [None] * len(devices)),
        "timezone": (pa.string(), ["UTC"] * len(devices)),
        "expected_readings_per_hour": (pa.int32(), [rate] * len(devices)),
        "updated_at": (TIME, [start] * len(devices)),
    }
    return pa.table({name: pa.array(values, type=kind) for name, (kind, values) in columns.items()})


def truth_table(injected: Sequence[Injected], start: datetime) -> pa.Table:
    """One row per injected scenario: device, kind, id, whether the machine is at fault, bounds (UTC) and sensors."""
    columns: dict[str, tuple[pa.DataType, list[object]]] = {
        "device_id": (pa.string(), [i.device_id for i in injected]),
        "kind": (pa.string(), [i.kind for i in injected]),
        "scenario_id": (pa.string(), [i.scenario.id for i in injected]),
        "equipment_fault": (pa.bool_(), [i.scenario.equipment for i in injected]),
        "onset": (TIME, [start + timedelta(hours=i.onset_hours) for i in injected]),
        "end": (TIME, [start + timedelta(hours=i.end_hours) for i in injected]),
        "sensors": (pa.list_(pa.string()), [list(i.sensors) for i in injected]),
    }
    return pa.table({name: pa.array(values, type=kind) for name, (kind, values) in columns.items()})


LATE_SECONDS = 600


def faults_of(device: Device, readings: Readings, messages: Messages) -> dict[str, object]:
    """What befell a device's messages on their way, as counts."""
    rows = messages.reading
    delay = messages.ingested_us - readings.minutes[rows] * 60e6
    ordered = bool((np.diff(rows) > 0).all())  # then nothing is behind or came twice
    return {
        "device_id": device.device_id,
        "messages": rows.size,
        "unsent": readings.sent.size - np.count_nonzero(readings.sent),
        "repeated": 0 if ordered else rows.size - np.unique(rows).size,
        "late": np.count_nonzero(delay > LATE_SECONDS * 1e6),
        "out_of_order": 0 if ordered else np.count_nonzero(rows < np.maximum.accumulate(rows)),
        "strangers": _among(rows, readings.stranger),
        "cut_off": _among(rows, readings.garbled == CUT_OFF),
        "with_text": _among(rows, readings.garbled == TEXT),
        "wrong_clock": _among(rows, readings.clock_shift != 0),
    }


def _among(rows: np.ndarray[Any, Any], struck: np.ndarray[Any, Any]) -> int:
    """How many messages carry a reading that was struck."""
    return np.count_nonzero(struck[rows]) if struck.any() else 0


def faults_table(faults: Sequence[Mapping[str, object]]) -> pa.Table:
    """One row per device: messages that arrived, readings never sent or lost, and how many messages were what.

    ``late`` took more than ten minutes, ``out_of_order`` came behind a later reading, ``strangers`` name an
    unregistered device, ``cut_off`` and ``with_text`` are broken, ``wrong_clock`` were stamped by a clock that was off.
    """
    return pa.Table.from_pylist([dict(one) for one in faults])
