"""What the shim adds: 50 trivial transforms against the same reads and writes, and 500 modules at import."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from benchmarks import Bench, Figure

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_TRANSFORMS = 50
_MODULES = 500
_ROWS = 10_000

_MODULE = """\
from transforms.api import Check, Input, Output, configure, transform_df
from transforms import expectations as E


@configure(profile=["DRIVER_MEMORY_LARGE"])
@transform_df(Output("/bench/{number}", checks=Check(E.col("a").non_null(), "a{number}")), source=Input("/bench/in"))
def compute(source):
    return source.where("a > 1")
"""


def run(bench: Bench) -> Iterator[Figure]:
    """``transforms``: at most 1.15; ``import``: below 2, in fresh interpreters that both pay for ``transforms.api``."""
    spark = bench.spark()
    raw = bench.scratch / "raw"
    generator = np.random.default_rng(7)
    spark.createDataFrame(pd.DataFrame({"a": generator.integers(0, 9, _ROWS)})).write.parquet(str(raw))
    shim, plain = _through_the_shim(spark, raw), _plainly(spark, raw, bench.scratch / "plain")
    yield bench.compare("transforms", a=shim, b=plain, limit=1.15)
    package = _package(bench.scratch / "modules")
    head = f"import sys; sys.path.insert(0, {str(package.parent)!r}); import transforms.api, transforms.expectations\n"
    discover = f"{head}import {package.name} as p\nx = transforms.api.Pipeline()\nx.discover_transforms(p)\n"
    discover += f"assert len(x.transforms) == {_MODULES}\n"
    names = f"[f'{package.name}.m{{i:03d}}' for i in range({_MODULES})]"
    plain_import = f"{head}import importlib\nfor name in {names}: importlib.import_module(name)\n"
    yield bench.compare("import", a=bench.python(discover), b=bench.python(plain_import), limit=2.0)


def _through_the_shim(spark: SparkSession, raw: Path) -> Callable[[], None]:
    from transforms.api import Input, Output, Pipeline, transform_df
    from transforms.verbs.testing._parts import Part
    from transforms.verbs.testing.datastores import InMemoryDatastore, StoredDataset
    from transforms.verbs.testing.TransformRunner import TransformRunner

    pipeline = Pipeline()
    for number in range(_TRANSFORMS):
        pipeline.add_transforms(transform_df(Output(f"/bench/{number}"), source=Input("/bench/in"))(_trivial))
    schema = spark.read.parquet(str(raw)).schema

    def build() -> None:
        store = InMemoryDatastore()
        store._datasets["/bench/in"] = StoredDataset([Part(folder=raw, schema=schema)])
        runner = TransformRunner(pipeline, store)
        for made in pipeline.transforms:
            runner.run(spark, made)

    return build


def _plainly(spark: SparkSession, raw: Path, out: Path) -> Callable[[], None]:
    schema = spark.read.parquet(str(raw)).schema

    def build() -> None:
        for number in range(_TRANSFORMS):
            frame = _trivial(spark.read.schema(schema).parquet(str(raw)))
            frame.write.mode("overwrite").parquet(str(out / str(number)))

    return build


def _trivial(source: Any) -> Any:
    return source.where("a > 1")


def _package(folder: Path) -> Path:
    package = folder / "shim_bench"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    for number in range(_MODULES):
        (package / f"m{number:03d}.py").write_text(_MODULE.format(number=number))
    return package
