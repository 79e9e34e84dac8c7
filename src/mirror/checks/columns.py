"""The columns of a subject: names resolve as in Spark (case does not matter), types compare without nullability."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F
from pyspark.sql import types as T

from mirror.checks.errors import ColumnMissingError, NoSchemaError, UnknownTypeError

if TYPE_CHECKING:
    from pyspark.sql import Column


@dataclass(frozen=True)
class Columns:
    """Looks columns up for one dataset."""

    dataset: str
    schema: T.StructType | None

    def fields(self) -> list[T.StructField]:
        """All columns. Raises :class:`NoSchemaError` for raw files."""
        if self.schema is None:
            raise NoSchemaError(self.dataset)
        return self.schema.fields

    def find(self, name: str) -> T.StructField | None:
        """The column of that name, exact case first; ``None`` when there is none."""
        fields = self.fields()
        for field in fields:
            if field.name == name:
                return field
        return next((f for f in fields if f.name.lower() == name.lower()), None)

    def __getitem__(self, name: str) -> T.StructField:
        """Raises :class:`ColumnMissingError` naming the nearest column."""
        field = self.find(name)
        if field is None:
            raise ColumnMissingError(self.dataset, name, tuple(f.name for f in self.fields()))
        return field


def ref(name: str) -> Column:
    """A Spark reference to the column of exactly that name, dots and backticks included."""
    return F.col("`" + name.replace("`", "``") + "`")


def spark_type(given: Any, dataset: str, column: str) -> T.DataType:
    """What ``has_type`` or ``schema()`` was given, as a Spark type: Spark or Polars types, instances or classes."""
    if isinstance(given, T.DataType):
        return given
    if isinstance(given, type) and issubclass(given, T.DataType):
        try:
            return given()
        except TypeError as error:
            raise UnknownTypeError(dataset, column, given) from error
    module = type(given).__module__ if not isinstance(given, type) else given.__module__
    if module.startswith("polars"):
        found = _from_polars(given)
        if found is not None:
            return found
    raise UnknownTypeError(dataset, column, given)


def same_type(left: T.DataType, right: T.DataType) -> bool:
    """Equal up to nullability, at any depth."""
    return left.simpleString() == right.simpleString()


_POLARS = {
    "Boolean": T.BooleanType,
    "Int8": T.ByteType,
    "Int16": T.ShortType,
    "Int32": T.IntegerType,
    "Int64": T.LongType,
    "UInt8": T.ShortType,
    "UInt16": T.IntegerType,
    "UInt32": T.LongType,
    "Float32": T.FloatType,
    "Float64": T.DoubleType,
    "String": T.StringType,
    "Utf8": T.StringType,
    "Categorical": T.StringType,
    "Enum": T.StringType,
    "Binary": T.BinaryType,
    "Date": T.DateType,
}


def _from_polars(given: Any) -> T.DataType | None:
    """How a dataset written by a single-node transform stores that Polars type; ``None`` when Spark has none."""
    name = given.__name__ if isinstance(given, type) else type(given).__name__
    if name in _POLARS:
        return _POLARS[name]()
    if name == "Datetime":
        zone = getattr(given, "time_zone", None) if not isinstance(given, type) else None
        return T.TimestampType() if zone else T.TimestampNTZType()
    if name == "Decimal" and not isinstance(given, type):
        return T.DecimalType(given.precision or 38, given.scale)
    if name in ("List", "Array") and not isinstance(given, type):
        inner = _from_polars(given.inner)
        return None if inner is None else T.ArrayType(inner)
    if name == "Struct" and not isinstance(given, type):
        fields = [(f.name, _from_polars(f.dtype)) for f in given.fields]
        if all(kind is not None for _, kind in fields):
            return T.StructType([T.StructField(n, kind) for n, kind in fields if kind is not None])
    return None
