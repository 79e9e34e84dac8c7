"""What the driver holds does not grow with the rows it judges; a key check adds what it says it adds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from benchmarks._checks_data import telemetry
from pyspark.sql import SparkSession

import benchmarks

pytestmark = pytest.mark.nightly

SMALL, LARGE = 150_000, 1_500_000
MEGABYTE = 1_000_000
BYTES_PER_KEY = 40
"""``key_hashes.MEMORY_BOUND_ROWS`` says 34 at the peak; allocators round up."""


def held(folder: Path, *options: str) -> dict[str, int]:
    """The figures of a process of its own."""
    program = Path(benchmarks.__file__).with_name("_checks_memory.py")
    command = [sys.executable, str(program), str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    figures: dict[str, int] = json.loads(done.stdout.strip().splitlines()[-1])
    # every row of one check fails: its offenders are among what is held
    assert figures.pop("failed") == ["every row fails"]
    return figures


def test_ten_times_the_rows(spark: SparkSession, tmp_path: Path) -> None:
    folders = {rows: tmp_path / str(rows) for rows in (SMALL, LARGE)}
    for rows, folder in folders.items():
        telemetry(spark, 0, rows).write.parquet(str(folder))
    small, large = (held(folder) for folder in folders.values())
    assert large["peak_bytes"] < small["peak_bytes"] + 10 * MEGABYTE
    assert large["heap_bytes"] < small["heap_bytes"] + 20 * MEGABYTE
    assert large["result_bytes"] < 1.5 * small["result_bytes"] < MEGABYTE
    keyed = held(folders[LARGE], "key")
    assert large["peak_bytes"] < keyed["peak_bytes"] < large["peak_bytes"] + BYTES_PER_KEY * LARGE + 50 * MEGABYTE
