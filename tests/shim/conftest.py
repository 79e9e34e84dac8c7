"""A store and a runner on the shared session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from transforms.api import Pipeline
from transforms.api._arrow import read_arrow
from transforms.api._transform import TransformBase
from transforms.verbs.testing._memory_ports import MemoryReadPort
from transforms.verbs.testing.datastores import InMemoryDatastore
from transforms.verbs.testing.TransformRunner import TransformRunner


@pytest.fixture
def store() -> InMemoryDatastore:
    return InMemoryDatastore()


@pytest.fixture
def run(spark: SparkSession, store: InMemoryDatastore) -> Callable[..., Any]:
    """Runs one transform on ``store`` and gives its outcome."""

    def go(transform: TransformBase, **options: Any) -> Any:
        pipeline = Pipeline()
        pipeline.add_transforms(transform)
        return TransformRunner(pipeline, store, **options).run(spark, transform)

    return go


@pytest.fixture
def frame(spark: SparkSession) -> Callable[..., DataFrame]:
    """A Spark frame from columns by keyword."""
    return lambda **columns: spark.createDataFrame(pd.DataFrame(columns))


@pytest.fixture
def rows(store: InMemoryDatastore, spark: SparkSession) -> Callable[[str], list[tuple[Any, ...]]]:
    """The rows of a stored dataset, ordered; Parquet is read without a Spark job."""

    def read(alias: str) -> list[tuple[Any, ...]]:
        parts = store.parts(alias)
        if all(part.options.output_format == "parquet" for part in parts):
            found = [tuple(row.values()) for row in read_arrow(MemoryReadPort(alias, parts), "current").to_pylist()]
        else:
            found = [tuple(row) for row in store.get_dataframe(alias, spark).collect()]
        return sorted(found, key=lambda row: tuple(map(str, row)))

    return read
