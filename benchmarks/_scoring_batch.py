"""Batch scoring on the executors against plain scikit-learn on the driver, over the same numbers in the same run."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from benchmarks import Bench, Figure
from benchmarks._pipeline_cpu import cpu_seconds

FEATURES, TREES, TRAINING_ROWS = 45, 200, 20_000
ROWS = {100_000: 2.0, 1_000_000: 1.3}
"""Rows -> what scoring them may cost, as a multiple of ``score_samples`` alone."""
CONTRIBUTORS = 0.5
"""What contributors for every row may add, as a multiple of the same."""
NAMES = [f"feature_{place:02}" for place in range(FEATURES)]


def batch(bench: Bench) -> Iterator[Figure]:
    """Per size, in turn: the whole of ``model_scores`` written to nowhere, the same with nothing to rank, scikit-learn.

    Elapsed time is what is promised. Other work on the machine falls on both sides differently, so CPU seconds of the
    whole process tree are told beside it: what scoring costs per core, had both cores been free.
    """
    from fleet_health.scoring.scores import model_scores

    spark = bench.spark()
    cores = spark.sparkContext.defaultParallelism
    drawn = np.random.default_rng(7)
    forest, adapter = _model(drawn.normal(size=(TRAINING_ROWS, FEATURES)))
    features = spark.sql("select timestamp'2026-01-02 00:00:00' as computed_at")
    for full, limit in ROWS.items():
        rows = max(1_000, round(full * bench.size))
        values = drawn.normal(size=(rows, FEATURES))
        vectors = _stored(spark, bench.scratch / f"vectors-{full}", values)

        def score(model: Any, vectors: DataFrame = vectors) -> None:
            model_scores(vectors, features, model).write.format("noop").mode("overwrite").save()

        def plain(values: Any = values) -> None:
            forest.score_samples(values)

        sides = {"whole": lambda: score(adapter), "bare": lambda: score(_Silent(adapter)), "plain": plain}
        elapsed, cpu = _measured(bench, full, sides)
        yield bench.share(f"batch_{full}", elapsed["whole"], elapsed["plain"], limit=limit)
        yield bench.share(f"batch_{full}_cpu_per_core", [one / cores for one in cpu["whole"]], cpu["plain"])
        added = [whole - bare for whole, bare in zip(cpu["whole"], cpu["bare"], strict=True)]
        yield bench.share(f"contributors_{full}", added, cpu["plain"], limit=CONTRIBUTORS)
    yield from _memory(bench, spark, adapter, features)


def _measured(
    bench: Bench, rows: int, sides: dict[str, Callable[[], None]]
) -> tuple[dict[str, list[float]], dict[str, list[float]]]:
    """Elapsed and CPU seconds of every side by round, the order turned from round to round, the first one left out."""
    elapsed: dict[str, list[float]] = {name: [] for name in sides}
    cpu: dict[str, list[float]] = {name: [] for name in sides}
    rounds = bench.rounds if rows < 1_000_000 else min(bench.rounds, 3)
    for turn in range(rounds + 1):
        for name in list(sides) if turn % 2 == 0 else list(sides)[::-1]:
            # scikit-learn works in this process, and workers that end meanwhile would take their seconds out of the sum
            clock = time.process_time if name == "plain" else cpu_seconds
            before, began = clock(), time.perf_counter()
            sides[name]()
            seconds, used = time.perf_counter() - began, clock() - before
            if turn:
                elapsed[name].append(seconds)
                cpu[name].append(used)
                bench.say(f"scoring.{rows} {name}: {seconds:.2f} s elapsed, {used:.2f} s of CPU")
    return elapsed, cpu


def _memory(bench: Bench, spark: SparkSession, adapter: Any, features: DataFrame) -> Iterator[Figure]:
    """The peak of the largest Python worker at ten times the rows, over that at once the rows."""
    from fleet_health.scoring.scores import model_scores

    peaks = []
    for full in ROWS:
        folder = bench.scratch / f"vectors-{full}"
        model_scores(spark.read.parquet(str(folder)), features, adapter).write.format("noop").mode("overwrite").save()
        peaks.append(_largest_worker(spark))
        bench.say(f"scoring.worker_memory: {full} rows, largest worker {peaks[-1]:.0f} MB")
    yield bench.share("worker_memory_at_ten_times", peaks[1:], peaks[:1], limit=1.2)


def _largest_worker(spark: SparkSession) -> float:
    """Megabytes that the workers which serve this session have ever held at once, the largest of them."""

    def peak(batches: Iterator[Any]) -> Iterator[Any]:
        for _ in batches:
            yield pd.DataFrame({"peak": [resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0]})

    cores = spark.sparkContext.defaultParallelism
    told = spark.range(0, cores * 4, 1, cores * 4).mapInPandas(peak, "peak double")
    return float(told.agg(F.max("peak").alias("peak")).collect()[0]["peak"])


class _Silent:
    """The same model as a family that ranks nothing: what is left is the cost of scores alone."""

    def __init__(self, model: Any) -> None:
        self.model, self.constants = model, model.constants

    def scores(self, vectors: Any, cohorts: Any = None) -> Any:
        return self.model.scores(vectors, cohorts)

    def distances(self, vectors: Any, cohorts: Any = None) -> None:
        return None


def _model(training: Any) -> tuple[Any, Any]:
    from sklearn.ensemble import IsolationForest

    from model_adapters.isolation_forest import IsolationForestAdapter

    forest = IsolationForest(n_estimators=TREES, max_samples=256, random_state=42, n_jobs=1).fit(training)
    raw = -forest.decision_function(training)
    constants: Any = {
        "model_id": "isolation_forest_v1",
        "model_version": "1.0.0",
        "granularity": "fleet",
        "window_duration_minutes": 15,
        "feature_names": NAMES,
        "threshold": 0.6,
        "cohort_medians": [],
        "medians": np.median(training, axis=0).tolist(),
        "scales": training.std(axis=0).tolist(),
        "raw_min": float(raw.min()),
        "raw_max": float(raw.max()),
        "seed": 42,
        "training_rows": len(training),
    }
    return forest, IsolationForestAdapter(forest, constants)


def _stored(spark: SparkSession, folder: Path, values: Any) -> DataFrame:
    """``model_input`` as it lies: one device per row, in files for both cores."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from fleet_health.model_input.vectors import features_id

    rows, parts = len(values), 4
    folder.mkdir(parents=True, exist_ok=True)
    start = pa.array(np.full(rows, np.datetime64("2026-01-01T12:00:00", "us")), pa.timestamp("us", tz="UTC"))
    end = pa.array(np.full(rows, np.datetime64("2026-01-01T12:15:00", "us")), pa.timestamp("us", tz="UTC"))
    places = np.tile(np.arange(FEATURES, dtype=np.int8), rows)
    told = pa.DictionaryArray.from_arrays(pa.array(places), pa.array(NAMES))
    names = pa.ListArray.from_arrays(np.arange(rows + 1) * FEATURES, told)
    table = pa.table(
        {
            "device_id": pa.array([f"D{number:07}" for number in range(rows)]),
            "window_start": start,
            "window_end": end,
            "model_id": pa.array(["isolation_forest_v1"] * rows),
            "granularity": pa.array(["fleet"] * rows),
            "feature_vector": pa.ListArray.from_arrays(np.arange(rows + 1) * FEATURES, pa.array(values.reshape(-1))),
            "feature_names": names,
            "sensor_completeness": pa.array(np.ones(rows)),
            "model_version": pa.array(["1.0.0"] * rows),
            "cohort_id": pa.nulls(rows, pa.string()),
            "features_id": pa.array([features_id(NAMES)] * rows),
            "imputed_feature_count": pa.array(np.zeros(rows, dtype=np.int32)),
        }
    )
    step = -(-rows // parts)
    for part in range(parts):
        pq.write_table(table.slice(part * step, step), folder / f"part-{part}.parquet")
    return spark.read.parquet(str(folder))
