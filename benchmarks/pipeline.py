"""Raw readings to features: against DuckDB and Polars, by growth of the fleet, and five minutes at a time."""

from __future__ import annotations

import itertools
import json
import math
import statistics
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks import Bench, Figure
from benchmarks._pipeline_cpu import cost
from benchmarks._pipeline_data import clean, synthetic, windows, write

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

DEVICES = 1000
CORES = 2
GROWTH = (250, 1000, 4000)
MATERIALISATIONS = 21


def run(bench: Bench) -> Iterator[Figure]:
    raw, registry = synthetic(bench.scratch / "fleet", max(20, int(DEVICES * bench.size)), 24)
    rows = clean(raw, bench.scratch / "clean")
    yield from _against_peers(bench, bench.scratch / "clean", rows)
    yield _from_raw(bench, raw, registry, rows)
    yield from _increments(bench)
    yield from _growth(bench)


def _against_peers(bench: Bench, folder: Path, rows: int) -> Iterator[Figure]:
    """The same 15-minute features from the same files; wall time as promised, CPU time because others work here too."""
    from benchmarks._pipeline_peers import agree, duckdb_windows, polars_windows
    from fleet_health.profiles.loader import shipped_profile

    spark, profile = bench.spark(), shipped_profile("refrigeration")
    ours, duck, polars = (bench.scratch / name for name in ("ours", "duckdb.parquet", "polars.parquet"))

    def us() -> None:
        write(windows(spark, folder, (15,)), ours)

    def duckdb() -> None:
        duckdb_windows(folder, duck, profile, CORES)

    def pola() -> None:
        polars_windows(folder, polars, profile)

    for side in (us, duckdb, pola):
        side()
    agree(ours, duck, profile)
    agree(ours, polars, profile)
    yield bench.compare("quarters_against_duckdb", a=us, b=duckdb, limit=3.0)
    yield bench.compare("quarters_against_polars", a=us, b=pola)
    sides: dict[str, list[float]] = {"us": [], "duckdb": [], "polars": []}
    for _ in range(bench.rounds):
        for name, side in zip(sides, (us, duckdb, pola), strict=True):
            sides[name].append(cost(side))
    for name, costs in sides.items():
        each = statistics.median(costs)
        bench.say(
            f"pipeline: 15-minute features, {name}: {each:.2f} CPU seconds, {rows / each:,.0f} rows per core second"
        )
    yield bench.share("quarters_cpu_against_duckdb", sides["us"], sides["duckdb"])
    yield bench.share("quarters_cpu_against_polars", sides["us"], sides["polars"])


def _from_raw(bench: Bench, raw: Path, registry: Path, rows: int) -> Figure:
    """Raw rows judged, cleansed, written and summarised in all three lengths, against reading and writing them."""
    from fleet_health.ingestion.cleansing import judge
    from fleet_health.ingestion.routing import clean_rows
    from fleet_health.profiles.loader import shipped_profile

    spark, profile = bench.spark(), shipped_profile("refrigeration")
    target, copy = (str(bench.scratch / name) for name in ("judged", "copy"))
    features = bench.scratch / "versions"

    def all_the_way() -> None:
        judged = judge(_raw_frame(spark, raw, profile), spark.read.parquet(str(registry)), profile)
        clean_rows(judged.where("outcome = 'CLEAN'"), profile).write.mode("overwrite").parquet(target)
        write(windows(spark, Path(target)), features)

    def copied() -> None:
        spark.read.parquet(str(raw)).write.mode("overwrite").parquet(copy)

    all_the_way()
    assert spark.read.parquet(target).count() > rows * 0.9, "cleansing kept too little to tell anything"
    whole = [cost(all_the_way) for _ in range(min(3, bench.rounds))]
    parts = [cost(copied) for _ in range(len(whole))]
    each = statistics.median(whole)
    bench.say(f"pipeline: raw to features: {each:.1f} CPU seconds, {rows / each:,.0f} rows per core second")
    return bench.share("raw_to_features_cpu_against_copying", whole, parts)


def _raw_frame(spark: SparkSession, raw: Path, profile: Any) -> Any:
    """Synthetic raw files in the shape of ``raw_sensor_readings``."""
    from pyspark.sql import functions as F

    from fleet_health.contracts.raw import raw_schema

    frame = spark.read.parquet(str(raw))
    # cleansing asks when the file of a row was received, so a row of none is a row of nothing
    known = {"source_file": F.lit("bench"), "line_number": F.lit(1), "unreadable": F.array()}
    schema = raw_schema(profile)
    return frame.withColumns(known).select(
        *(
            (F.col(f.name) if f.name in frame.columns or f.name in known else F.lit(None))
            .cast(f.dataType)
            .alias(f.name)
            for f in schema
        )
    )


def _increments(bench: Bench) -> Iterator[Figure]:
    """Twenty materialisations after the first, each against the second of its kind: with the same lengths due."""
    from benchmarks._pipeline_increments import slots, through_the_pipeline, windows_alone

    spark, devices = bench.spark(), max(20, int(DEVICES * bench.size))
    files, registry = slots(bench.scratch / "slots", devices, MATERIALISATIONS)
    chain = list(through_the_pipeline(spark, bench.scratch / "chain", files, registry))
    for number, one in enumerate(chain, start=1):
        told = ", ".join(f"{name} {seconds:.1f} s" for name, seconds in one.seconds.items() if seconds >= 0.05)
        costs = f"{one.cpu:.1f} CPU seconds and {one.choosing:.1f} for device_features"
        bench.say(f"pipeline: materialisation {number}: {costs}; due {one.due}; {told}")
    raw, _ = synthetic(bench.scratch / "longer", devices, MATERIALISATIONS / 12)
    clean(raw, bench.scratch / "longer-clean")
    frame = spark.read.parquet(str(bench.scratch / "longer-clean"))
    start = pd.Timestamp(frame.selectExpr("min(timestamp_utc)").toPandas().iloc[0, 0])
    times = [(start + n * pd.Timedelta(minutes=5)).to_pydatetime() for n in range(MATERIALISATIONS + 1)]
    alone = list(windows_alone(spark, bench.scratch / "alone", frame, list(itertools.pairwise(times))))
    bench.say("pipeline: windows alone: " + ", ".join(f"{one.cpu:.1f} {one.due}" for one in alone))
    yield _later_against_second(bench, "materialisations_against_second", chain, lambda one: one.cpu)
    choosing = [one for one in chain if one.due]
    yield _later_against_second(bench, "device_features_against_second", choosing, lambda one: one.choosing)
    yield _later_against_second(bench, "windows_alone_against_second", alone, lambda one: one.cpu)


def _later_against_second(bench: Bench, name: str, runs: list[Any], seconds: Callable[[Any], float]) -> Figure:
    """CPU of the last third of the runs of the commonest kind over that of the second of this kind."""
    kinds = [one.due for one in runs[1:]]
    kind = max(set(kinds), key=kinds.count)
    same = [seconds(one) for one in runs[1:] if one.due == kind]
    last = same[-max(1, len(same) // 3) :]
    return bench.share(name, last, [same[min(1, len(same) - 1)]] * len(last), limit=1.2)


def _growth(bench: Bench) -> Iterator[Figure]:
    """Device-days against CPU seconds (the exponent of a power law) and against the JVM's peak memory."""
    costs: dict[int, list[float]] = {count: [] for count in GROWTH}
    peaks: dict[int, list[float]] = {count: [] for count in GROWTH}
    for count in GROWTH:
        raw, _ = synthetic(bench.scratch / f"fleet-{count}", max(10, int(count * bench.size)), 24)
        clean(raw, bench.scratch / f"clean-{count}")
    rounds = min(2, bench.rounds)
    for _ in range(rounds):
        for count in GROWTH:
            measured = _in_a_process(bench.scratch / f"clean-{count}", bench.scratch / "grown")
            bench.say(f"pipeline: {count} device-days: {json.dumps(measured)}")
            costs[count].append(measured["cpu"])
            peaks[count].append(measured["jvm_bytes"])
    exponents = [_exponent([costs[count][n] for count in GROWTH]) for n in range(rounds)]
    yield bench.share("growth_exponent", exponents, [1.0] * rounds, limit=1.05)
    yield bench.share("jvm_peak_4000_against_250", peaks[GROWTH[-1]], peaks[GROWTH[0]], limit=1.2)


def _exponent(costs: list[float]) -> float:
    """Least squares in logarithms."""
    return float(np.polyfit([math.log(count) for count in GROWTH], [math.log(value) for value in costs], 1)[0])


def _in_a_process(folder: Path, out: Path) -> dict[str, float]:
    script = Path(__file__).with_name("_pipeline_process.py")
    command = [sys.executable, str(script), str(folder), str(out)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    return found
