"""What a column is compared with: one place that decides which operand goes with which type, for Spark and for Python.

Timestamps are whole microseconds since the epoch on both sides, so no time zone of a driver or session takes part.
Comparisons follow Spark: NaN equals itself and is greater than every number.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F
from pyspark.sql import types as T

from mirror.checks.errors import ColumnTypeError, ZonelessTimestampError
from transforms.expectations.conditions import TIMESTAMP_OPERATORS, AtInstant, AtNow, Compare, Condition

if TYPE_CHECKING:
    from pyspark.sql import Column

NUMERIC, STRING, BOOLEAN, DATE = "number", "string", "boolean", "date"
TIMESTAMP, WALL_CLOCK, BINARY, ARRAY, OTHER = "timestamp", "timestamp without zone", "binary", "array", "other"

_FAMILIES: tuple[tuple[type[T.DataType], str], ...] = (
    (T.NumericType, NUMERIC),
    (T.StringType, STRING),
    (T.CharType, STRING),
    (T.VarcharType, STRING),
    (T.BooleanType, BOOLEAN),
    (T.DateType, DATE),
    (T.TimestampType, TIMESTAMP),
    (T.TimestampNTZType, WALL_CLOCK),
    (T.BinaryType, BINARY),
    (T.ArrayType, ARRAY),
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONG = 2**63
_NUMBERS = (int, float, Decimal)
_FLIPPED = {"lt": "gt", "lte": "gte", "gt": "lt", "gte": "lte", "equals": "equals", "not_equals": "not_equals"}
SYMBOLS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "equals": "=", "not_equals": "!="}


def family(kind: T.DataType) -> str:
    """The kind of operand that goes with a type."""
    return next((name for parent, name in _FAMILIES if isinstance(kind, parent)), OTHER)


def micros(instant: datetime) -> int:
    """Microseconds since the epoch; a wall-clock time counts as if it were UTC."""
    aware = instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC)
    return (aware - _EPOCH) // timedelta(microseconds=1)


def from_micros(count: int) -> datetime:
    """The instant, in UTC."""
    return _EPOCH + timedelta(microseconds=count)


@dataclass(frozen=True)
class Value:
    """Something of a dataset that is compared: a column, an array's size, a property."""

    dataset: str
    what: str
    kind: T.DataType

    @property
    def family(self) -> str:
        return family(self.kind)

    def refuse(self, asked: object, way_out: str) -> ColumnTypeError:
        """The error for an operand or condition that this value's type cannot meet."""
        return ColumnTypeError(self.dataset, self.what, self.kind.simpleString(), str(asked), way_out)


@dataclass(frozen=True)
class Bound:
    """A comparison reduced to one operator and one operand in the value's own terms (timestamps as microseconds)."""

    operator: str
    operand: Any

    def text(self, kind: T.DataType) -> str:
        shown = self.operand
        if family(kind) in (TIMESTAMP, WALL_CLOCK):
            shown = from_micros(self.operand).isoformat()
        elif isinstance(self.operand, date):
            shown = self.operand.isoformat()
        elif isinstance(self.operand, str):
            shown = repr(self.operand)
        return f"{SYMBOLS[self.operator]} {shown}"


_COUNTED: Mapping[str, T.DataType] = {
    "null_percentage": T.DoubleType(),
    "standard_deviation_sample": T.DoubleType(),
    "standard_deviation_population": T.DoubleType(),
    "null_count": T.LongType(),
    "distinct_count": T.LongType(),
    "approx_distinct_count": T.LongType(),
}


def property_kind(name: str, column: T.DataType) -> T.DataType:
    """The type of a property of a column: its own, or that of the column (sums and extremes)."""
    return _COUNTED.get(name, column)


def bound(value: Value, condition: Condition, now: datetime) -> Bound:
    """The comparison ``condition`` makes. Raises :class:`ColumnTypeError` or :class:`ZonelessTimestampError`."""
    if isinstance(condition, Compare):
        return Bound(condition.operator, operand(value, condition.operand))
    if not isinstance(condition, AtInstant | AtNow):
        raise value.refuse(condition, "only comparisons apply here.")
    if value.family != TIMESTAMP:
        raise value.refuse(condition, "timestamp expectations take Timestamp columns only; cast it to timestamp.")
    if isinstance(condition, AtInstant):
        if condition.instant.tzinfo is None:
            raise ZonelessTimestampError(value.dataset, value.what, condition.instant.isoformat())
        return Bound(TIMESTAMP_OPERATORS[condition.name], micros(condition.instant))
    distance = round(condition.seconds * 1_000_000)
    if condition.direction == "from":
        return Bound(condition.operator, micros(now) + distance)
    return Bound(_FLIPPED[condition.operator], micros(now) - distance)


def operand(value: Value, given: Any) -> Any:
    """``given`` in the terms of the value's type; raises when the two do not go together."""
    of = value.family
    if of == NUMERIC:
        if isinstance(given, int | float | Decimal) and not isinstance(given, bool):
            return _number(value, given)
        raise value.refuse(repr(given), "compare it with a number, or cast the column.")
    if of == STRING and isinstance(given, str):
        return given
    if of == BOOLEAN and isinstance(given, bool):
        return given
    if of == DATE:
        return _date(value, given)
    if of in (TIMESTAMP, WALL_CLOCK):
        return _instant(value, given)
    raise value.refuse(repr(given), _WAYS_OUT.get(of, f"compare it with a {of}."))


_WAYS_OUT = {
    STRING: "compare it with a string, or cast the column to a number.",
    BOOLEAN: "compare it with True or False.",
    ARRAY: "array columns take is_in, array_contains and size only.",
    BINARY: "binary columns are not compared.",
    OTHER: "only plain columns are compared.",
}


def _number(value: Value, given: int | float | Decimal) -> int | float | Decimal:
    if isinstance(given, int) and not -_LONG <= given < _LONG:
        if abs(given) >= 10**38:
            raise value.refuse(repr(given), "the number has more than 38 digits.")
        return Decimal(given)
    if isinstance(given, Decimal) and (not given.is_finite() or len(given.as_tuple().digits) > 38):
        raise value.refuse(repr(given), "decimals are finite and have at most 38 digits.")
    return given


def _date(value: Value, given: Any) -> date:
    if isinstance(given, date) and not isinstance(given, datetime):
        return given
    if isinstance(given, str):
        try:
            return date.fromisoformat(given)
        except ValueError:
            pass
    raise value.refuse(repr(given), "compare it with a date such as '2024-05-01'.")


def _instant(value: Value, given: Any) -> int:
    instant = given
    if isinstance(given, str):
        try:
            instant = datetime.fromisoformat(given)
        except ValueError:
            instant = None
    if not isinstance(instant, datetime):
        raise value.refuse(repr(given), "compare it with an instant such as '2024-05-01T00:00:00+00:00'.")
    if value.family == TIMESTAMP and instant.tzinfo is None:
        raise ZonelessTimestampError(value.dataset, value.what, str(given))
    if value.family == WALL_CLOCK and instant.tzinfo is not None:
        raise value.refuse(repr(given), "the column has no zone; leave the zone out or cast the column to timestamp.")
    return micros(instant)


def literal(value: Value, normalised: Any) -> Column:
    """A normalised operand as a Spark literal of the matching type."""
    if value.family == TIMESTAMP:
        return F.timestamp_micros(F.lit(normalised))
    if value.family == WALL_CLOCK:
        # by text: a cast from a timestamp would read the session's time zone
        return F.lit(from_micros(normalised).replace(tzinfo=None).isoformat(" ")).cast("timestamp_ntz")
    return F.lit(normalised)


def compare(left: Column, operator: str, right: Column) -> Column:
    """``left <operator> right`` in Spark; null when either is null."""
    return {
        "gt": left > right,
        "gte": left >= right,
        "lt": left < right,
        "lte": left <= right,
        "equals": left == right,
        "not_equals": left != right,
    }[operator]


def holds(left: Any, limit: Bound) -> bool:
    """``left <operator> operand`` in Python, with Spark's order."""
    order = spark_order(left, limit.operand)
    return {
        "gt": order > 0,
        "gte": order >= 0,
        "lt": order < 0,
        "lte": order <= 0,
        "equals": order == 0,
        "not_equals": order != 0,
    }[limit.operator]


def spark_order(left: Any, right: Any) -> int:
    """-1, 0 or 1; NaN equals NaN and exceeds everything else. A double and an exact number compare as doubles."""
    if isinstance(left, float) is not isinstance(right, float) and all(isinstance(v, _NUMBERS) for v in (left, right)):
        left, right = float(left), float(right)
    left_nan = isinstance(left, float) and math.isnan(left)
    right_nan = isinstance(right, float) and math.isnan(right)
    if left_nan or right_nan:
        return int(left_nan) - int(right_nan)
    return int(left > right) - int(left < right)
