"""The Arrow shapes written by the synthetic fleet: raw readings, registry and ground truth."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mirror.synth.device import Device, Injected
from mirror.synth.fleet import BooleanSensor, Fleet
from mirror.synth.readings import Readings
from mirror.synth.transport import Messages

TIME = pa.timestamp("us", tz="UTC")


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

    def table(self, device: Device, readings: Readings, messages: Messages) -> pa.Table:
        """One device's messages. ``event_id`` is device and reading number, so a repeat has the same id."""
        rows = messages.reading
        # Most devices send each reading once and in order: then nothing needs to be copied.
        taken = slice(None) if np.array_equal(rows, np.arange(readings.minutes.size)) else rows
        number = pc.utf8_lpad(pa.array(rows).cast(pa.string()), 9, "0")
        same = pa.repeat(pa.scalar(device.device_id), rows.size)
        columns = [
            pc.binary_join_element_wise(same, number, "-"),
            same,
            pa.array(messages.device_us + self._start_us).cast(TIME),
            pa.array(messages.ingested_us + self._start_us).cast(TIME),
            *(_sensor(values[taken], readings.missing[name][taken]) for name, values in readings.values.items()),
            same,
            pa.array(np.arange(rows.size, dtype=np.int64)),
        ]
        return pa.Table.from_arrays(columns, schema=self.schema)


def _sensor(values: np.ndarray[Any, Any], missing: np.ndarray[Any, Any]) -> pa.Array:
    return pa.array(values, mask=missing if missing.any() else None)


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
