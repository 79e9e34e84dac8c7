"""Schemas as tests compare them."""

from __future__ import annotations

from pyspark.sql import types as T


def columns(schema: T.StructType) -> list[tuple[str, str]]:
    """Names and types in their order; whether a column may be null is Spark's guess and no promise."""
    return [(field.name, field.dataType.simpleString()) for field in schema]
