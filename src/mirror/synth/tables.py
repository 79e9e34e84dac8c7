"""The Arrow shapes written by the synthetic fleet: raw readings, registry and ground truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa

from mirror.synth.columns import lists, numbers, texts
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
        senders = texts([name for one in sent for name in (one.device.device_id, one.stranger)])
        places = np.repeat(np.arange(len(sent), dtype=np.int32) * 2, sizes)
        if any(one.readings.stranger.any() for one in sent):
            places += np.concatenate([one.take(one.readings.stranger) for one in sent])
        identity = pa.DictionaryArray.from_arrays(numbers(places, pa.int32()), senders).dictionary_decode()
        columns = [
            _event_ids(sent, self._first),
            identity,
            numbers(np.concatenate([one.messages.device_us for one in sent]) + self._start_us, TIME),
            numbers(np.concatenate([one.messages.ingested_us for one in sent]) + self._start_us, TIME),
            *(_sensor(sent, name) for name in sent[0].readings.values),
            identity,
            numbers(np.concatenate([np.arange(size, dtype=np.int64) for size in sizes]), pa.int64()),
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
    kind = pa.bool_() if values.dtype == np.bool_ else pa.float64()
    return numbers(values, kind, missing)


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
    many = len(devices)
    installed = (start - timedelta(days=365)).date() - date(1970, 1, 1)
    return pa.table(
        {
            "device_id": texts([device.device_id for device in devices]),
            "site_id": texts([device.site_id for device in devices]),
            "region": pa.nulls(many, pa.string()),
            "model": texts([fleet.fleet] * many),
            "install_date": numbers(np.full(many, installed.days, dtype=np.int32), pa.date32()),
            "firmware_version": texts([device.firmware_version for device in devices]),
            "status": texts(["active"] * many),
            "expected_sensors": lists([device.expected_sensors for device in devices]),
            "climate_zone": pa.nulls(many, pa.string()),
            "cohort_id": pa.nulls(many, pa.string()),
            "timezone": texts(["UTC"] * many),
            "expected_readings_per_hour": numbers(
                np.full(many, round(3600 / fleet.interval_seconds), dtype=np.int32), pa.int32()
            ),
            "updated_at": numbers(np.full(many, round(start.timestamp() * 1e6), dtype=np.int64), TIME),
        }
    )


def truth_table(injected: Sequence[Injected], start: datetime) -> pa.Table:
    """One row per injected scenario: device, kind, id, whether the machine is at fault, bounds (UTC) and sensors."""
    bounds = np.array([(i.onset_hours, i.end_hours) for i in injected], dtype=np.float64).reshape(-1, 2)
    instants = np.rint(bounds * 3600e6).astype(np.int64) + round(start.timestamp() * 1e6)
    return pa.table(
        {
            "device_id": texts([i.device_id for i in injected]),
            "kind": texts([i.kind for i in injected]),
            "scenario_id": texts([i.scenario.id for i in injected]),
            "equipment_fault": numbers(np.array([i.scenario.equipment for i in injected], dtype=np.bool_), pa.bool_()),
            "onset": numbers(instants[:, 0], TIME),
            "end": numbers(instants[:, 1], TIME),
            "sensors": lists([i.sensors for i in injected]),
        }
    )


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
    counts = [name for name in faults[0] if name != "device_id"]
    return pa.table(
        {"device_id": texts([str(one["device_id"]) for one in faults])}
        | {name: numbers(np.array([one[name] for one in faults], dtype=np.int64), pa.int64()) for name in counts}
    )
