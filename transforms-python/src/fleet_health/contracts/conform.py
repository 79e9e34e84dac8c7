"""A frame in the exact shape of its contract: columns by name, order and type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T


def conform(frame: DataFrame, schema: T.StructType) -> DataFrame:
    """The columns of ``schema``, cast to its types; others are left out, missing ones raise Spark's own error."""
    return frame.select(*(F.col(field.name).cast(field.dataType).alias(field.name) for field in schema))


def frame_of(spark: SparkSession, rows: Iterable[Sequence[Any]], schema: T.StructType) -> DataFrame:
    """Rows that the driver made, values in the order of ``schema``, handed over by Arrow and by no Python worker."""
    table = pd.DataFrame(list(rows), columns=schema.fieldNames(), dtype=object)
    return spark.createDataFrame(table, schema)
