"""A store and a runner on the shared session."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from transforms.api import Pipeline
from transforms.api._transform import TransformBase
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
    """The rows of a stored dataset, ordered."""
    return lambda alias: sorted(
        (tuple(row) for row in store.get_dataframe(alias, spark).collect()), key=lambda row: tuple(map(str, row))
    )
