"""Columns that a check may be about: looked up by name, refused by type."""

from __future__ import annotations

from collections.abc import Iterable

from pyspark.sql import types as T

from mirror.checks.columns import Columns
from mirror.checks.errors import ColumnTypeError
from mirror.checks.operands import Value, operand


def numeric_column(columns: Columns, name: str) -> T.StructField:
    """Raises ColumnMissingError, ColumnTypeError."""
    return _typed(columns, name, (T.NumericType,), "a numeric check", "name a numeric column")


def moment_column(columns: Columns, name: str, *, days: bool = True) -> T.StructField:
    """A timestamp, or a date where days will do. Raises ColumnMissingError, ColumnTypeError."""
    kinds: tuple[type[T.DataType], ...] = (T.TimestampType, T.DateType) if days else (T.TimestampType,)
    return _typed(columns, name, kinds, "a check of times", "name a column of type timestamp" + " or date" * days)


def text_column(columns: Columns, name: str) -> T.StructField:
    """Raises ColumnMissingError, ColumnTypeError."""
    return _typed(columns, name, (T.StringType,), "a regular expression", "name a column of type string")


def comparable_column(columns: Columns, name: str, values: Iterable[object]) -> T.StructField:
    """A column that may hold each of the values, or an array of them. Raises ColumnMissingError, ColumnTypeError."""
    field = columns[name]
    if not isinstance(field.dataType, T.ArrayType):
        for value in values:
            operand(Value(columns.dataset, field.name, field.dataType), value)
    return field


def _typed(columns: Columns, name: str, kinds: tuple[type[T.DataType], ...], asked: str, way_out: str) -> T.StructField:
    field = columns[name]
    if not isinstance(field.dataType, kinds):
        raise ColumnTypeError(columns.dataset, field.name, field.dataType.simpleString(), asked, f"{way_out}.")
    return field
