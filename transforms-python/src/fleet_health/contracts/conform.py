"""A frame in the exact shape of its contract: columns by name, order and type."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T


def conform(frame: DataFrame, schema: T.StructType) -> DataFrame:
    """The columns of ``schema``, cast to its types; others are left out, missing ones raise Spark's own error."""
    # to say a type takes Spark far longer than to name a column, and most have theirs already
    there = {field.name: field.dataType for field in frame.schema}

    def column(field: T.StructField) -> Column:
        same = there.get(field.name) == field.dataType
        return F.col(field.name) if same else F.col(field.name).cast(field.dataType).alias(field.name)

    return frame.select(*map(column, schema))


def frame_of(spark: SparkSession, rows: Iterable[Sequence[Any]], schema: T.StructType) -> DataFrame:
    """Rows that the driver made, values in the order of ``schema``, handed over by Arrow and by no Python worker."""
    table = pd.DataFrame(list(rows), columns=schema.fieldNames(), dtype=object)
    return spark.createDataFrame(table, schema)
