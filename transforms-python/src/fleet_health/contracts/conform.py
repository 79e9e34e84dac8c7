"""A frame in the exact shape of its contract: columns by name, order and type."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T


def conform(frame: DataFrame, schema: T.StructType) -> DataFrame:
    """The columns of ``schema``, cast to its types; others are left out, missing ones raise Spark's own error."""
    return frame.select(*(F.col(field.name).cast(field.dataType).alias(field.name) for field in schema))
