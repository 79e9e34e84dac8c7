"""A synthetic fleet to Parquet against drawing the same numbers with numpy and writing the same table with pyarrow."""

from __future__ import annotations

import resource
import shutil
import time
from collections.abc import Iterator

import numpy as np
import pyarrow.parquet as pq

from benchmarks import Bench, Figure
from mirror.synth import SynthRequest, load_fleet, write_fleet
from mirror.synth.files import write_parquet

DEVICES, HOURS = 1_000, 24


def run(bench: Bench) -> Iterator[Figure]:
    fleet = load_fleet()
    devices = max(1, round(DEVICES * bench.size))
    out = bench.scratch / "fleet"
    request = SynthRequest(devices=devices, hours=HOURS, seed=1)
    result = write_fleet(fleet, request, out)
    written = [pq.read_table(file) for file in result.files]
    sensors = len(fleet.numeric)
    spent: list[float] = []

    def ours() -> None:
        started = time.process_time()
        write_fleet(fleet, request, out)
        spent.append(time.process_time() - started)

    def alone() -> None:
        random = np.random.Generator(np.random.SFC64(1))
        for number, table in enumerate(written):
            random.standard_normal((sensors, table.num_rows))
            write_parquet(table, bench.scratch / f"alone-{number}.parquet")

    def fresh(_: int) -> None:
        shutil.rmtree(out, ignore_errors=True)

    yield bench.compare("numpy_and_pyarrow", a=ours, b=alone, limit=4.0, setup=fresh)
    rows = result.rows
    bench.say(f"synth: {rows:,} rows; best {rows / min(spent) / 1e6:.2f} million rows per second of processor time")
    seconds = min(_command(bench, devices) for _ in range(bench.rounds))
    bench.say(
        f"synth: the whole command, start-up and all: {rows / seconds / 1e6:.2f} million rows per second of the same"
    )
    yield from _memory(bench, devices)


def _command(bench: Bench, devices: int) -> float:
    """Processor seconds of ``mirror synth`` from the first line of Python to the last."""
    out = bench.scratch / "fleet"
    shutil.rmtree(out, ignore_errors=True)
    asked = ["synth", "--devices", str(devices), "--hours", str(HOURS), "--seed", "1", "--out", str(out)]
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    bench.python(f"import sys; from mirror.cli import run; sys.exit(run({asked!r}))")()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _memory(bench: Bench, devices: int) -> Iterator[Figure]:
    """Peak memory at four times the devices against once: chunks bound it."""
    peaks = []
    told = bench.scratch / "status"
    for times in (1, 4):
        shutil.rmtree(bench.scratch / "fleet", ignore_errors=True)
        # what Linux says of the process itself: the peak that a parent is told of begins with the parent's own size
        bench.python(
            "import pathlib; from mirror.synth import *; "
            f"write_fleet(load_fleet(), SynthRequest(devices={devices * times}, hours={HOURS}, seed=1), "
            f"pathlib.Path({str(bench.scratch / 'fleet')!r})); "
            f"pathlib.Path({str(told)!r}).write_text(pathlib.Path('/proc/self/status').read_text())"
        )()
        peak = next(line for line in told.read_text().splitlines() if line.startswith("VmHWM"))
        peaks.append(int(peak.split()[1]))
    bench.say(f"synth: peak memory {peaks[0] / 1024:.0f} MB, at four times the devices {peaks[1] / 1024:.0f} MB")
    yield bench.share("memory_at_four_times", [peaks[1]], [peaks[0]], limit=1.2)
