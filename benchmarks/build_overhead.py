"""A build through mirror against plain Spark doing the same reads, transformations and writes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from benchmarks import Bench, Figure

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

    from mirror.datasets import Workspace

_STEPS = {"large": 2, "small": 6}
_ROWS = {"large": 1_000_000, "small": 1_000}

# The first step cleans, the others average what the one before wrote; both sides run this very text.
_LOGIC = """\
from pyspark.sql import functions as F


def step_0(frame):
    return frame.where(F.col("value").between(-3.0, 3.0)).withColumn("bucket", F.floor(F.col("at") / 900))


def step_n(frame):
    group = frame.groupBy("device", "bucket").agg(F.avg("value").alias("value"), F.max("at").alias("at"))
    return group.select("device", "at", "value", "bucket")
"""

_TRANSFORM = """

@transform_df(Output("/bench/{number}"), frame=Input("/bench/{source}"))
def job_{number}(frame):
    return {logic}(frame)
"""


def run(bench: Bench) -> Iterator[Figure]:
    spark = bench.spark()
    # What a build adds does not grow with the rows: the large case shows the share a user feels, the small one its
    # parts. A build knows the schema and so saves the job by which plain Spark infers it.
    for size, limit in (("large", 1.3), ("small", 1.3)):
        raw = bench.scratch / size / "raw"
        _rows(spark, _ROWS[size]).write.parquet(str(raw))
        workspace = _workspace(spark, bench.scratch / size, raw, _STEPS[size], f"bench_{size}")
        plain = _plain(spark, bench.scratch / size / "plain", raw, _STEPS[size])
        yield bench.compare(size, a=_mirror(spark, workspace), b=plain, limit=limit)
        workspace.close()


def _rows(spark: SparkSession, count: int) -> DataFrame:
    generator = np.random.default_rng(7)
    data = {
        "device": generator.integers(0, 200, count),
        "at": np.sort(generator.integers(0, 86_400 * 30, count)),
        "value": generator.normal(size=count),
    }
    return spark.createDataFrame(pd.DataFrame(data))


def _workspace(spark: SparkSession, folder: Path, raw: Path, steps: int, package: str) -> Workspace:
    """A workspace over a transforms repository of a chain of ``steps`` jobs, with ``raw`` ingested."""
    from mirror.datasets import TransactionType, Workspace
    from mirror.datasets.output_port import DatasetWritePort
    from transforms.ports import WriteOptions

    source = folder / "transforms-python" / "src"
    (source / package).mkdir(parents=True)
    (source / package / "__init__.py").touch()
    jobs = [
        _TRANSFORM.format(number=n, source=n - 1 if n else "raw", logic="step_n" if n else "step_0")
        for n in range(steps)
    ]
    text = f"from transforms.api import Input, Output, Pipeline, transform_df\n{_LOGIC}{''.join(jobs)}\n"
    names = ", ".join(f"job_{n}" for n in range(steps))
    (source / package / "pipeline.py").write_text(f"{text}\npipeline = Pipeline()\npipeline.add_transforms({names})\n")
    entry = f"root = {package}.pipeline:pipeline"
    (source / "setup.py").write_text(
        f"from setuptools import setup\nsetup(entry_points={{'transforms.pipelines': ['{entry}']}})\n"
    )
    workspace = Workspace.create(folder / ".mirror", repository=folder)
    opened = workspace.store.open_transaction(
        workspace.store.create("/bench/raw"), workspace.config.default_branch, TransactionType.SNAPSHOT
    )
    DatasetWritePort(opened).write_dataframe(spark.read.parquet(str(raw)), WriteOptions())
    opened.commit()
    return workspace


def _mirror(spark: SparkSession, workspace: Workspace) -> Callable[[], None]:
    from mirror.builds import build

    def side() -> None:
        report = build(workspace, force=True, spark=lambda: spark)
        assert int(report.exit_code) == 0, report.to_json()

    return side


def _plain(spark: SparkSession, folder: Path, raw: Path, steps: int) -> Callable[[], None]:
    names: dict[str, Callable[[DataFrame], DataFrame]] = {}
    exec(compile(_LOGIC, "logic", "exec"), names)  # noqa: S102 - the text above, so that both sides run the same logic

    def side() -> None:
        source = raw
        for number in range(steps):
            logic = names["step_n" if number else "step_0"]
            target = folder / str(number)
            logic(spark.read.parquet(str(source))).write.mode("overwrite").parquet(str(target))
            source = target

    return side
