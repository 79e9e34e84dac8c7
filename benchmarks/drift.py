"""Drift of 45 features over 5,000,000 rows against a stored baseline, beside one aggregation and beside Evidently.

Evidently is no dependency: where the interpreter named by ``DRIFT_PEER_PYTHON`` has it, the same rows are compared
there in pandas with the same tests, each side in its own process. Sides are compared in CPU seconds of all processes,
the JVM and the Python workers among them, turn by turn: a neighbour may take the machine, and takes none of those.
"""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import functions as F

from benchmarks import Bench, Figure
from benchmarks._pipeline_cpu import cost

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

    from fleet_health.monitoring.sketch import Layout, Sketch

ROWS, FEATURES, FILES = 5_000_000, 45, 20
LENGTHS = (15, 60, 1440)
TRAINED = 100_000
NAMES = tuple(f"feature_{n:02d}" for n in range(FEATURES))
PEER = "DRIFT_PEER_PYTHON"
_PEER_CODE = """
import sys, time
import pandas as pd
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset
now, then = (pd.read_parquet(path) for path in sys.argv[1:])
start = time.process_time()
for test in ("ks", "psi", "wasserstein"):
    Report([DataDriftPreset(num_method=test)]).run(now, then)
print(time.process_time() - start)
"""


def run(bench: Bench) -> Iterator[Figure]:
    from fleet_health.monitoring.references import layout_of
    from fleet_health.monitoring.sketch import sketches

    rows = int(ROWS * bench.size)
    folder = _written(bench.scratch / "now", rows)
    then = pd.DataFrame(_values(np.random.default_rng(0), TRAINED), columns=NAMES)
    layout = layout_of(then, NAMES)
    spark = bench.spark()
    now = spark.read.parquet(str(folder))

    def aggregated() -> None:
        _aggregated(now)

    bench.say(f"{rows:,} rows, {FEATURES} features")
    yield _beside(bench, "beside_mean_and_stddev", lambda: sketches(now, layout, []), aggregated, limit=0.7)
    yield _beside(bench, "four_slices_beside_mean_and_stddev", lambda: sketches(now, layout, ["slice"]), aggregated)
    every, layouts = _every_length(now, folder), dict.fromkeys(LENGTHS, layout)
    yield _beside(
        bench,
        "three_lengths_beside_one",
        lambda: sketches(every, layouts, ["minutes"]),
        lambda: sketches(now, layout, []),
    )
    yield _memory(bench, now, layout)
    yield _largest_error(bench, folder, then, layout, sketches(now, layout, [])[()])
    peer = os.environ.get(PEER)
    if peer:
        yield from _peer(bench, peer, folder, then, layout)
    else:
        bench.say(f"drift: set {PEER} to a Python that has Evidently to compare with it")


def _beside(
    bench: Bench, name: str, ours: Callable[[], object], theirs: Callable[[], object], limit: float | None = None
) -> Figure:
    """CPU seconds of both, turn by turn after one unmeasured pair."""
    pairs = [(cost(ours), cost(theirs)) for _ in range(bench.rounds + 1)][1:]
    for a, b in pairs:
        bench.say(f"drift.{name}: {a:.2f} / {b:.2f} CPU seconds = {a / b:.3f}")
    return bench.share(name, [a for a, _ in pairs], [b for _, b in pairs], limit=limit)


def _values(random: np.random.Generator, rows: int) -> np.ndarray:
    values = random.normal(size=(rows, FEATURES)) * np.arange(1, FEATURES + 1)
    values[:, ::9] = np.where(random.random((rows, 5)) < 0.9, 0.0, values[:, ::9])
    return values


def _written(folder: Path, rows: int) -> Path:
    folder.mkdir()
    random = np.random.default_rng(1)
    for number in range(FILES):
        n = rows // FILES
        values = _values(random, n)
        columns = {name: pa.array(values[:, at], mask=random.random(n) < 0.02) for at, name in enumerate(NAMES)}
        columns["slice"] = pa.array(np.array(["a", "b", "c", "d"])[random.integers(0, 4, n)])
        pq.write_table(pa.table(columns), folder / f"{number:02d}.parquet")
    return folder


def _every_length(now: DataFrame, folder: Path) -> DataFrame:
    """``now`` as windows of a quarter hour, a quarter as many of an hour and an eightieth of a day."""
    read = now.sparkSession.read.parquet
    hours = read(*(str(folder / f"{number:02d}.parquet") for number in range(FILES // 4)))
    days = read(str(folder / "00.parquet")).where("slice = 'a'")
    quarter, hour, day = (
        rows.withColumn("minutes", F.lit(minutes)) for rows, minutes in zip((now, hours, days), LENGTHS, strict=True)
    )
    return quarter.unionByName(hour).unionByName(day)


def _aggregated(now: DataFrame) -> None:
    now.agg(*(F.mean(name) for name in NAMES), *(F.stddev(name) for name in NAMES)).collect()


def _memory(bench: Bench, now: DataFrame, layout: Layout) -> Figure:
    """What the driver keeps of all rows over what it keeps of a tenth of them: bytes of the merged states."""
    from fleet_health.monitoring.sketch import sketches

    whole = sketches(now, layout, [])[()]
    part = sketches(now.where(F.col("slice") == "a"), layout, [])[()]
    kept = [one.counts.nbytes + one.moments.nbytes for one in (whole, part)]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    bench.say(
        f"drift: {kept[0]:,} bytes per group for {whole.rows:,} and for {part.rows:,} rows; driver peak {peak:.0f} MB"
    )
    return bench.share("state_of_all_rows_over_state_of_a_quarter", [kept[0]], [kept[1]], limit=1.0)


def _largest_error(bench: Bench, folder: Path, then: pd.DataFrame, layout: Layout, now: Sketch) -> Figure:
    """The KS statistic that scipy finds minus ours, over the error that is stated, at worst among the features."""
    from scipy import stats

    from fleet_health.monitoring.distances import compare
    from fleet_health.monitoring.references import sketch_of

    trained, worst = sketch_of(then, layout), 0.0
    for place, name in enumerate(NAMES[:6]):
        values = pq.read_table(folder, columns=[name])[name].drop_null().to_numpy()
        exact = stats.ks_2samp(values, then[name], method="asymp").statistic
        extremes = min(values.min(), then[name].min()), max(values.max(), then[name].max())
        means = float(values.mean()), float(then[name].mean())
        edges = layout.edges[place]
        found = compare(now.of(place), 0, trained.of(place), 0, edges, extremes, means)
        worst = max(worst, (exact - found.ks) / found.ks_error)
    return bench.share("ks_error_over_stated_error", [worst], [1.0], limit=1.0)


def _peer(bench: Bench, python: str, folder: Path, then: pd.DataFrame, layout: Layout) -> Iterator[Figure]:
    """Seconds of processor time of ours over theirs, on the rows of one file of both."""
    from fleet_health.monitoring.distances import compare
    from fleet_health.monitoring.references import sketch_of

    one, trained = bench.scratch / "one.parquet", bench.scratch / "then.parquet"
    then.to_parquet(trained)
    pq.write_table(pq.read_table(folder / "00.parquet", columns=list(NAMES)), one)
    now = pd.read_parquet(one)
    ours, theirs = [], []
    for _ in range(min(bench.rounds, 3)):
        done = subprocess.run(
            [python, "-c", _PEER_CODE, str(one), str(trained)], capture_output=True, text=True, check=True
        )
        theirs.append(float(done.stdout.split()[-1]))
        start = _cpu()
        a, b = sketch_of(now, layout), sketch_of(then, layout)
        for place, edges in enumerate(layout.edges):
            low, high = (f(x, y) for f, x, y in zip((min, max), a.extremes(place), b.extremes(place), strict=True))
            means = a.mean(place) or 0.0, b.mean(place) or 0.0
            compare(a.of(place), a.nulls(place), b.of(place), b.nulls(place), edges, (low, high), means)
        ours.append(_cpu() - start)
        bench.say(f"drift: {ours[-1]:.2f} s against {theirs[-1]:.2f} s of Evidently on {len(now):,} rows")
    yield bench.share("beside_evidently", ours, theirs, limit=0.2)


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
