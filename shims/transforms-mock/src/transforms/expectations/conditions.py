"""What is demanded of a value: comparisons, sets, patterns, timestamps. Each prints as the call that makes it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from transforms._names import caller
from transforms.expectations.errors import ExpectationValueError
from transforms.expectations.tree import Node

OPERATORS = ("gt", "gte", "lt", "lte", "equals", "not_equals")
TIMESTAMP_OPERATORS = {"is_before": "lt", "is_after": "gt", "is_on_or_before": "lte", "is_on_or_after": "gte"}

Scalar = bool | int | float | Decimal | str | datetime | date


class Condition(Node):
    """Root of all conditions."""


@dataclass(frozen=True, eq=False, repr=False)
class Compare(Condition):
    """``value <operator> operand``; undecided when the value is null."""

    operator: str
    operand: Scalar

    def __repr__(self) -> str:
        return f".{self.operator}({self.operand!r})"


@dataclass(frozen=True, eq=False, repr=False)
class CompareColumn(Condition):
    """``value <operator> other column``; undecided when either is null."""

    operator: str
    other: str

    def __repr__(self) -> str:
        return f".{self.operator}_col({self.other!r})"


@dataclass(frozen=True, eq=False, repr=False)
class Present(Condition):
    """Not null. NaN counts as present."""

    def __repr__(self) -> str:
        return ".non_null()"


@dataclass(frozen=True, eq=False, repr=False)
class Absent(Condition):
    """Null."""

    def __repr__(self) -> str:
        return ".is_null()"


@dataclass(frozen=True, eq=False, repr=False)
class Among(Condition):
    """One of the values; a null fails unless ``None`` is among them. On arrays: every element."""

    values: tuple[Scalar | None, ...]

    def __repr__(self) -> str:
        return f".is_in({', '.join(map(repr, self.values))})"


@dataclass(frozen=True, eq=False, repr=False)
class Matches(Condition):
    """The pattern (Java syntax) occurs somewhere in the text; undecided when null."""

    pattern: str

    def __repr__(self) -> str:
        return f".rlike({self.pattern!r})"


@dataclass(frozen=True, eq=False, repr=False)
class Holds(Condition):
    """The array holds the value (``None``: a null element)."""

    element: Scalar | None

    def __repr__(self) -> str:
        return f".array_contains({self.element!r})"


@dataclass(frozen=True, eq=False, repr=False)
class AtInstant(Condition):
    """A timestamp before, after, ... a fixed one."""

    name: str
    instant: datetime

    def __repr__(self) -> str:
        return f".{self.name}({self.instant.isoformat()!r})"


@dataclass(frozen=True, eq=False, repr=False)
class AtColumn(Condition):
    """A timestamp before, after, ... another column's, moved by ``offset`` seconds."""

    name: str
    other: str
    offset: int

    def __repr__(self) -> str:
        return f".{self.name}_col({self.other!r}{f', {self.offset}' if self.offset else ''})"


@dataclass(frozen=True, eq=False, repr=False)
class AtNow(Condition):
    """Seconds from now (``from``: value - now) or until now (``to``: now - value), compared with ``seconds``.

    Signed on the data's side: every past value is less than any positive number of seconds *from* now.
    """

    direction: str
    operator: str
    seconds: int | float

    def __repr__(self) -> str:
        return f".timestamp_offset_{self.direction}_current_time().{self.operator}({self.seconds!r})"


@dataclass(frozen=True, eq=False, repr=False)
class AmongForeign(Condition):
    """Occurs in a column of another dataset; null is ignored."""

    dataset: str
    column: str

    def __repr__(self) -> str:
        return f".is_in_foreign_col(E.dataset_ref({self.dataset!r}).col({self.column!r}))"


@dataclass(frozen=True, eq=False, repr=False)
class CompareCount(Condition):
    """A row count compared with the row count of another dataset of the same transform."""

    operator: str
    dataset: str

    def __repr__(self) -> str:
        return f".{self.operator}(E.dataset_ref({self.dataset!r}).count())"


def scalar(call: str, value: object) -> Scalar:
    """``value`` as a plain Python scalar (NumPy scalars are unwrapped); anything else is refused."""
    if type(value).__module__ == "numpy" and hasattr(value, "item"):
        value = value.item()
    if value is None:
        raise ExpectationValueError(call, value, "nothing compares with null; use .is_null() or .non_null().", caller())
    if isinstance(value, Node) and "dataset_ref" in repr(value):
        raise ExpectationValueError(
            call, value, "only E.count() compares with another dataset, with E.dataset_ref('input').count().", caller()
        )
    if isinstance(value, Node):
        raise ExpectationValueError(
            call, value, "compare two columns with .gt_col('name'), .lt_col('name'), .equals_col('name'), ...", caller()
        )
    if not isinstance(value, bool | int | float | Decimal | str | datetime | date):
        raise ExpectationValueError(
            call, value, "only numbers, strings, booleans, dates and datetimes compare.", caller()
        )
    return value


def values(call: str, found: tuple[object, ...]) -> tuple[Scalar | None, ...]:
    """The values of ``is_in``, given one by one or, as in ``Column.isin``, as one list."""
    if len(found) == 1 and isinstance(found[0], list | tuple | set | frozenset):
        inner: Iterable[object] = found[0]
        found = tuple(sorted(inner, key=repr)) if isinstance(inner, set | frozenset) else tuple(inner)
    if not found:
        raise ExpectationValueError(call, found, "give at least one value; nothing is in an empty set.", caller())
    return tuple(None if v is None else scalar(call, v) for v in found)


def instant(call: str, value: object) -> datetime:
    """An ISO-8601 string or a datetime; one without a zone is kept, and its check cannot be computed."""
    if isinstance(value, datetime):
        return value
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError as error:
            raise ExpectationValueError(
                call, value, "write ISO 8601, e.g. '2024-05-01T00:00:00+00:00'.", caller()
            ) from error
    raise ExpectationValueError(call, value, "give an ISO-8601 string or a timezone-aware datetime.", caller())


def duration(call: str, value: object) -> int | float:
    """Seconds or a timedelta, not negative; the documented methods look in one direction only."""
    seconds: object = value
    if isinstance(value, timedelta):
        total = value.total_seconds()
        seconds = int(total) if total.is_integer() else total
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        raise ExpectationValueError(call, value, "give seconds or a datetime.timedelta.", caller())
    if not seconds >= 0:
        other = "from" if "_to_" in call else "to"
        raise ExpectationValueError(
            call,
            value,
            f"offsets are positive; use timestamp_offset_{other}_current_time for the other direction.",
            caller(),
        )
    return seconds
