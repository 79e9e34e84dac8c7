"""What the footers of Parquet files say about a dataset, kept only where it is certain.

Everything doubtful is left out, so a verdict from here never differs from a scan. The doubts, each with its reason:

* **NaN.** Writers other than Parquet-MR leave NaN out of the statistics, so their upper bound says nothing about NaN,
  which Spark holds for the largest number. Parquet-MR since 1.10 orders NaN last and writes it as the maximum; only
  there does an ordinary maximum prove that no NaN is present.
* **Text.** Writers may shorten bounds, and Arrow's reader shows a bound that its writer left out as the empty text.
  Text bounds are bounds, never exact values, and an empty upper bound is none.
* **INT96, unsigned and nested columns, nanoseconds**, a physical type other than the one Spark writes for the
  schema's type, a column found only under another spelling: no bounds, and no null count where rows are not values.
* **Old calendars.** Dates and timestamps before 1900, and files that Spark marked as written in the old calendar.
* **Absent or partial statistics**: a file without them takes its column's bounds away from the whole.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Context, Decimal
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import types as T

from mirror.checks.operands import micros
from mirror.datasets.storage import StoredEntry, opened
from transforms.ports import FileEntry

_OLD_CALENDAR = (b"org.apache.spark.legacyDateTime", b"org.apache.spark.legacyINT96")
_FIRST_SAFE_DAY = date(1900, 1, 1)
_FIRST_SAFE_MICROS = micros(datetime(1900, 1, 1, tzinfo=UTC))
_PARQUET_MR = re.compile(r"parquet-mr version (\d+)\.(\d+)")
_FAITHFUL_WRITERS = ("parquet-cpp-arrow version", "Polars", "DuckDB version")


@dataclass(frozen=True)
class ColumnFacts:
    """What is certain about one column over all files.

    Attributes:
        nulls: how many rows hold null.
        low: no value is smaller; ``None`` when unknown or when there is no value. Timestamps in microseconds.
        high: no value is larger, NaN included.
        exact: the bounds are values of the column, not only bounds.
    """

    nulls: int | None
    low: Any = None
    high: Any = None
    exact: bool = False


@dataclass(frozen=True)
class Footers:
    """Facts about a set of files; a column that is missing here is unknown."""

    rows: int
    columns: Mapping[str, ColumnFacts]
    told: str = dataclasses.field(default="opened", repr=False, compare=False)
    """Where the facts came from, in words."""

    def column(self, name: str) -> ColumnFacts:
        """What is known about a column; nothing, at worst."""
        return self.columns.get(name, ColumnFacts(None))


def read_footers(files: Sequence[FileEntry], schema: T.StructType | None) -> Footers | None:
    """Facts from the footers, or ``None`` when a file is not Parquet that opens here or its footer cannot be read."""
    if schema is None or not files or not all(_opens_here(f) for f in files):
        return None
    known: Footers | None = None
    for entry in files:
        try:
            with opened(entry) as source:
                metadata = pq.read_metadata(source)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError):
            return None
        one = _facts_of(metadata, schema)
        known = one if known is None else together(known, one, schema)
    return known


def _opens_here(file: FileEntry) -> bool:
    return file.location.endswith(".parquet") and (file.location.startswith("/") or isinstance(file, StoredEntry))


def _facts_of(metadata: pq.FileMetaData, schema: T.StructType) -> Footers:
    leaves = _flat_leaves(metadata)
    trusted = _Trust.of(metadata)
    columns = {}
    spellings = {name.lower() for name in _top_level(metadata)}
    for field in schema.fields:
        if field.name in leaves:
            columns[field.name] = _column(metadata, leaves[field.name], field.dataType, trusted)
        elif field.name.lower() not in spellings:
            # a file from before the column existed: Spark reads nulls
            columns[field.name] = ColumnFacts(metadata.num_rows)
    return Footers(metadata.num_rows, columns)


@dataclass(frozen=True)
class _Trust:
    bounds: bool
    nan_is_maximum: bool
    modern_calendar: bool

    @classmethod
    def of(cls, metadata: pq.FileMetaData) -> _Trust:
        by = metadata.created_by or ""
        version = _PARQUET_MR.match(by)
        parquet_mr = version is not None and (int(version[1]), int(version[2])) >= (1, 10)
        marks = metadata.metadata or {}
        return cls(
            bounds=parquet_mr or by.startswith(_FAITHFUL_WRITERS),
            nan_is_maximum=parquet_mr,
            modern_calendar=not any(mark in marks for mark in _OLD_CALENDAR),
        )


def _top_level(metadata: pq.FileMetaData) -> list[str]:
    return [metadata.schema.column(i).path.split(".", 1)[0] for i in range(metadata.num_columns)]


def _flat_leaves(metadata: pq.FileMetaData) -> dict[str, int]:
    """Column name -> index, for columns that are neither nested nor repeated and whose spelling is unique."""
    spellings = Counter(name.lower() for name in _top_level(metadata))
    found = {}
    for i in range(metadata.num_columns):
        column = metadata.schema.column(i)
        flat = column.name == column.path and not column.max_repetition_level and column.max_definition_level <= 1
        if flat and spellings[column.name.lower()] == 1:
            found[column.name] = i
    return found


def _column(metadata: pq.FileMetaData, index: int, kind: T.DataType, trusted: _Trust) -> ColumnFacts:
    column = metadata.schema.column(index)
    facts, holds_nothing = ColumnFacts(0), True
    for group in range(metadata.num_row_groups):
        rows = metadata.row_group(group).num_rows
        statistics = metadata.row_group(group).column(index).statistics
        nulls = statistics.null_count if statistics is not None and statistics.has_null_count else None
        one = ColumnFacts(nulls)
        if nulls != rows and trusted.bounds and statistics is not None and statistics.has_min_max:
            one = _bounded(nulls, statistics, column, kind, trusted)
        facts = _both(facts, one, holds_nothing=holds_nothing, other_holds_nothing=nulls == rows)
        holds_nothing = holds_nothing and nulls == rows
    return facts


def _bounded(nulls: int | None, statistics: Any, column: Any, kind: T.DataType, trusted: _Trust) -> ColumnFacts:
    low, high = statistics.min_raw, statistics.max_raw
    logical = json.loads(column.logical_type.to_json())
    stored = (column.physical_type, logical["Type"])
    if isinstance(kind, T.BooleanType) and stored == ("BOOLEAN", "None"):
        return ColumnFacts(nulls, low, high, exact=True)
    if isinstance(kind, T.IntegralType) and _signed_as(kind, column.physical_type, logical):
        return ColumnFacts(nulls, int(low), int(high), exact=True)
    if isinstance(kind, T.DoubleType | T.FloatType) and stored == (_FLOATS[type(kind)], "None"):
        return _floating(nulls, float(low), float(high), trusted)
    if type(kind) is T.StringType and stored == ("BYTE_ARRAY", "String"):
        return _text(nulls, low, high)
    if isinstance(kind, T.DateType) and stored == ("INT32", "Date"):
        days = [date(1970, 1, 1) + timedelta(days=int(d)) for d in (low, high) if abs(int(d)) < _DAYS_OF_PYTHON]
        if len(days) == 2 and days[0] >= _FIRST_SAFE_DAY and trusted.modern_calendar:
            return ColumnFacts(nulls, days[0], days[1], exact=True)
    if isinstance(kind, T.TimestampType | T.TimestampNTZType) and stored == ("INT64", "Timestamp"):
        unit = _MICROS_PER.get(logical["timeUnit"])
        zoned = isinstance(kind, T.TimestampType) == logical["isAdjustedToUTC"]
        if unit and zoned and trusted.modern_calendar and int(low) * unit >= _FIRST_SAFE_MICROS:
            return ColumnFacts(nulls, int(low) * unit, int(high) * unit, exact=True)
    if isinstance(kind, T.DecimalType) and logical["Type"] == "Decimal":
        same = (logical["precision"], logical["scale"]) == (kind.precision, kind.scale)
        if same:
            return ColumnFacts(nulls, _decimal(low, kind.scale), _decimal(high, kind.scale), exact=True)
    return ColumnFacts(nulls)


def _signed_as(kind: T.IntegralType, physical: str, logical: Mapping[str, Any]) -> bool:
    width = next(bits for of, bits in _WIDTHS if isinstance(kind, of))
    if physical != ("INT64" if width == 64 else "INT32"):
        return False
    if logical["Type"] == "None":
        return width >= 32
    return bool(logical["Type"] == "Int" and logical["bitWidth"] == width and logical["isSigned"])


def _floating(nulls: int | None, low: float, high: float, trusted: _Trust) -> ColumnFacts:
    if math.isnan(low):
        return ColumnFacts(nulls)
    # without this writer's promise, or with a NaN, the largest value is unknown
    certain = trusted.nan_is_maximum and not math.isnan(high)
    return ColumnFacts(nulls, low + 0.0, high + 0.0 if certain else None, exact=certain)


def _text(nulls: int | None, low: bytes, high: bytes) -> ColumnFacts:
    try:
        return ColumnFacts(nulls, low.decode(), high.decode() or None)
    except UnicodeDecodeError:
        return ColumnFacts(nulls)


def _decimal(raw: int | bytes, scale: int) -> Decimal:
    unscaled = int.from_bytes(raw, "big", signed=True) if isinstance(raw, bytes) else int(raw)
    return Decimal(unscaled).scaleb(-scale, _WIDE)


def _both(one: ColumnFacts, other: ColumnFacts, *, holds_nothing: bool, other_holds_nothing: bool) -> ColumnFacts:
    """Two parts of a column together; a part without values leaves the other's bounds as they are."""
    nulls = None if one.nulls is None or other.nulls is None else one.nulls + other.nulls
    if holds_nothing or other_holds_nothing:
        kept = other if holds_nothing else one
        return ColumnFacts(nulls, kept.low, kept.high, kept.exact)
    low = None if one.low is None or other.low is None else min(one.low, other.low)
    high = None if one.high is None or other.high is None else max(one.high, other.high)
    return ColumnFacts(nulls, low, high, one.exact and other.exact)


def together(one: Footers, other: Footers, schema: T.StructType) -> Footers:
    """Facts about two sets of files with nothing in common."""
    columns = {}
    for name in schema.fieldNames():
        left, right = one.column(name), other.column(name)
        columns[name] = _both(
            left, right, holds_nothing=left.nulls == one.rows, other_holds_nothing=right.nulls == other.rows
        )
    return Footers(one.rows + other.rows, columns)


_FLOATS: Mapping[type[T.DataType], str] = {T.DoubleType: "DOUBLE", T.FloatType: "FLOAT"}
_WIDTHS: tuple[tuple[type[T.DataType], int], ...] = (
    (T.ByteType, 8),
    (T.ShortType, 16),
    (T.IntegerType, 32),
    (T.LongType, 64),
)
_MICROS_PER = {"microseconds": 1, "milliseconds": 1000}
_DAYS_OF_PYTHON = 2_900_000
_WIDE = Context(prec=76)
