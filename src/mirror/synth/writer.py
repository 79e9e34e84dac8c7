"""Writes a fleet: raw readings in chunks, the registry, the ground truth and a manifest that reproduces them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from mirror.synth.anomalies import Anomaly
from mirror.synth.device import (
    CHOICE,
    FAULTS,
    TRANSPORT,
    Device,
    Injected,
    describe,
    generator,
    healthy,
    inject,
)
from mirror.synth.effects.garble import Garble
from mirror.synth.errors import OutputNotEmptyError, SynthRequestError
from mirror.synth.files import WRITERS, write_garbled_csv
from mirror.synth.fleet import Fleet
from mirror.synth.readings import Readings
from mirror.synth.tables import RawSchema, faults_of, faults_table, registry_table, truth_table
from mirror.synth.transport import Messages, Transport, deliver

GENERATOR = 2
"""Raised by whoever makes other bytes of the same request; every manifest names it."""


@dataclass(frozen=True)
class SynthRequest:
    """What to generate. Equal requests give equal bytes, as long as the ``generator`` of their manifests is the same.

    Attributes:
        hours: length of the series.
        start: first minute; the fleet's own when not given.
        chunk_rows: readings held in memory at once (at least one device); a chunk becomes one file.
        format: of readings and registry, ``parquet`` or ``csv``; the ground truth is always Parquet.
    """

    devices: int
    hours: float
    seed: int
    anomalies: tuple[Anomaly, ...] = ()
    transport: Transport = field(default_factory=Transport)
    start: datetime | None = None
    chunk_rows: int = 250_000
    format: str = "parquet"

    def checked(self) -> SynthRequest:
        """Itself; raises SynthRequestError naming the argument that cannot be met."""
        limits = (
            ("--devices", self.devices, self.devices >= 1, "at least 1 device"),
            ("--hours", self.hours, 0 < self.hours < float("inf"), "more than 0 hours"),
            ("--seed", self.seed, self.seed >= 0, "a whole number from 0"),
            ("--duplicates", self.transport.duplicate_share, 0 <= self.transport.duplicate_share <= 1, "0 to 1"),
            ("--late", self.transport.late_share, 0 <= self.transport.late_share <= 1, "0 to 1"),
            (
                "--out-of-order",
                self.transport.out_of_order_share,
                0 <= self.transport.out_of_order_share <= 1,
                "0 to 1",
            ),
            ("--dropouts", self.transport.lost_share, 0 <= self.transport.lost_share <= 1, "0 to 1"),
            ("--garbage", self.transport.garbage_share, 0 <= self.transport.garbage_share <= 1, "0 to 1"),
            ("--clock-drift", self.transport.drift_share, 0 <= self.transport.drift_share <= 1, "0 to 1"),
            ("--format", self.format, self.format in WRITERS, " or ".join(WRITERS)),
            ("--start", self.start, self.start is None or self.start.tzinfo is not None, "a time with a zone"),
        )
        for name, given, holds, wanted in limits:
            if not holds:
                raise SynthRequestError(name, given, f"wanted: {wanted}")
        return self


@dataclass(frozen=True)
class SynthResult:
    """What was written: rows of raw readings, the files that hold them, the injected anomalies and, per device, what
    befell its messages on their way.
    """

    rows: int
    files: tuple[Path, ...]
    registry: Path
    ground_truth: Path
    faults: Path
    manifest: Path
    injected: tuple[Injected, ...]


def write_fleet(
    fleet: Fleet, request: SynthRequest, out: Path, *, advance: Callable[[int], None] = lambda devices: None
) -> SynthResult:
    """Generates the fleet below ``out`` (which must be new or empty).

    ``advance`` is told the number of devices written since the last call.

    Raises:
        SynthRequestError: an argument that cannot be met.
        OutputNotEmptyError: ``out`` holds files already.
    """
    request = request.checked()
    _check_broken(fleet, request)
    if out.exists() and any(out.iterdir()):
        raise OutputNotEmptyError(str(out))
    folders = {
        name: out / name for name in ("raw_sensor_readings", "device_registry", "ground_truth", "transport_faults")
    }
    for folder in folders.values():
        folder.mkdir(parents=True)
    start = request.start or fleet.start
    schema = RawSchema(fleet, start)
    write = WRITERS[request.format]
    rows = 0
    files: list[Path] = []
    devices: list[Device] = []
    injected: list[Injected] = []
    faults: list[dict[str, object]] = []
    for number, chunk in enumerate(_chunks(fleet, request)):
        series = []
        for index in chunk:
            device, truth, readings, messages = _generate(fleet, request, index)
            devices.append(device)
            injected.extend(truth)
            faults.append(faults_of(device, readings, messages))
            series.append((device, readings, messages))
        made = schema.chunk(series)
        path = folders["raw_sensor_readings"] / f"part-{number:05d}.{request.format}"
        if made.garbled.size:
            write_garbled_csv(made.table, made.garbled, path)
        else:
            write(made.table, path)
        rows += made.table.num_rows
        files.append(path)
        advance(len(chunk))
    registry = folders["device_registry"] / f"part-00000.{request.format}"
    write(registry_table(devices, fleet, start), registry)
    truth_path = folders["ground_truth"] / "part-00000.parquet"
    WRITERS["parquet"](truth_table(injected, start), truth_path)
    faults_path = folders["transport_faults"] / "part-00000.parquet"
    WRITERS["parquet"](faults_table(faults), faults_path)
    manifest = out / "manifest.json"
    manifest.write_text(json.dumps(_manifest(fleet, request, start, rows), indent=2, sort_keys=True) + "\n")
    return SynthResult(rows, tuple(files), registry, truth_path, faults_path, manifest, tuple(injected))


def _length(fleet: Fleet, request: SynthRequest) -> int:
    return max(1, round(timedelta(hours=request.hours).total_seconds() / fleet.interval_seconds))


def _chunks(fleet: Fleet, request: SynthRequest) -> Iterator[range]:
    size = max(1, request.chunk_rows // _length(fleet, request))
    for first in range(0, request.devices, size):
        yield range(first, min(first + size, request.devices))


def _check_broken(fleet: Fleet, request: SynthRequest) -> None:
    """Columns of numbers hold no text and no half a line."""
    kinds = [a.kind for a in request.anomalies if any(isinstance(e, Garble) for e in fleet.scenarios[a.kind].effects)]
    asked = [f"--anomaly {kind}" for kind in kinds] + ["--garbage"] * (request.transport.garbage_share > 0.0)
    if asked and request.format != "csv":
        raise SynthRequestError("--format", request.format, f"{asked[0]} breaks messages, which only csv can hold")


def _generate(
    fleet: Fleet, request: SynthRequest, index: int
) -> tuple[Device, tuple[Injected, ...], Readings, Messages]:
    device = describe(fleet, request.seed, index)
    readings = healthy(fleet, request.seed, device, _length(fleet, request))
    mine = [anomaly for anomaly in request.anomalies if _concerns(anomaly, request.seed, index)]
    truth = inject(fleet, request.seed, device, readings, mine)
    messages = deliver(
        readings,
        request.transport,
        generator(request.seed, index, TRANSPORT),
        lambda: generator(request.seed, index, FAULTS),
    )
    return device, truth, readings, messages


def _concerns(anomaly: Anomaly, seed: int, index: int) -> bool:
    """A share of the fleet is drawn device by device: the same ones whatever the size of the fleet."""
    if anomaly.device is not None:
        return anomaly.device == index
    return anomaly.share >= 1.0 or generator(seed, index, CHOICE).uniform() < anomaly.share


def _manifest(fleet: Fleet, request: SynthRequest, start: datetime, rows: int) -> dict[str, object]:
    description = fleet.model_dump_json().encode()
    return {
        "generator": GENERATOR,
        "fleet": fleet.fleet,
        "fleet_sha256": hashlib.sha256(description).hexdigest(),
        "devices": request.devices,
        "hours": request.hours,
        "seed": request.seed,
        "start": start.isoformat(),
        "format": request.format,
        "transport": asdict(request.transport),
        "anomalies": [asdict(anomaly) for anomaly in request.anomalies],
        "rows": rows,
    }
