"""Chains that end in a comparison: what can be asked of a column's value, a property, a size or a count."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from transforms._names import caller
from transforms.expectations.conditions import (
    AtInstant,
    AtNow,
    Compare,
    CompareCount,
    Condition,
    Scalar,
    duration,
    instant,
    scalar,
)
from transforms.expectations.errors import ExpectationValueError
from transforms.expectations.tree import DATASET, ROW, Expectation, Fluent

PROPERTIES = (
    "null_percentage",
    "null_count",
    "distinct_count",
    "approx_distinct_count",
    "sum",
    "standard_deviation_sample",
    "standard_deviation_population",
    "min_value",
    "max_value",
)


class Comparable(Fluent):
    """The six comparisons, and the two short names the documentation's prose uses."""

    @abstractmethod
    def _demand(self, condition: Condition) -> Expectation: ...

    def _compare(self, operator: str, value: object) -> Expectation:
        return self._demand(Compare(operator, scalar(f"{self!r}.{operator}", value)))

    def gt(self, value: Scalar) -> Expectation:
        """Greater than ``value``."""
        return self._compare("gt", value)

    def gte(self, value: Scalar) -> Expectation:
        """Greater than or equal to ``value``."""
        return self._compare("gte", value)

    def lt(self, value: Scalar) -> Expectation:
        """Less than ``value``."""
        return self._compare("lt", value)

    def lte(self, value: Scalar) -> Expectation:
        """Less than or equal to ``value``."""
        return self._compare("lte", value)

    def equals(self, value: Scalar) -> Expectation:
        """Equal to ``value``."""
        return self._compare("equals", value)

    def not_equals(self, value: Scalar) -> Expectation:
        """Different from ``value``."""
        return self._compare("not_equals", value)

    ge = gte
    le = lte


class TimestampComparable(Fluent):
    """Comparisons of a timestamp with a fixed instant or with the time at which the check runs."""

    @abstractmethod
    def _demand(self, condition: Condition) -> Expectation: ...

    def is_before(self, timestamp: str | datetime) -> Expectation:
        """Before ``timestamp`` (ISO 8601 or datetime, with a zone)."""
        return self._at("is_before", timestamp)

    def is_after(self, timestamp: str | datetime) -> Expectation:
        """After ``timestamp``."""
        return self._at("is_after", timestamp)

    def is_on_or_before(self, timestamp: str | datetime) -> Expectation:
        """Not after ``timestamp``."""
        return self._at("is_on_or_before", timestamp)

    def is_on_or_after(self, timestamp: str | datetime) -> Expectation:
        """Not before ``timestamp``."""
        return self._at("is_on_or_after", timestamp)

    def timestamp_offset_from_current_time(self) -> Offset:
        """``value - now`` in seconds: positive in the future."""
        return Offset("from", self._demand, repr(self))

    def timestamp_offset_to_current_time(self) -> Offset:
        """``now - value`` in seconds: positive in the past."""
        return Offset("to", self._demand, repr(self))

    def _at(self, name: str, value: object) -> Expectation:
        return self._demand(AtInstant(name, instant(f"{self!r}.{name}", value)))


@dataclass(frozen=True, eq=False, repr=False)
class Offset(Fluent):
    """The distance between a timestamp and now; compare it with seconds or a ``timedelta``."""

    _direction: str
    _finish: Callable[[Condition], Expectation]
    _owner: str

    def _compare(self, operator: str, value: object) -> Expectation:
        return self._finish(AtNow(self._direction, operator, duration(f"{self!r}.{operator}", value)))

    def gt(self, offset: int | float | timedelta) -> Expectation:
        """More than ``offset``."""
        return self._compare("gt", offset)

    def gte(self, offset: int | float | timedelta) -> Expectation:
        """At least ``offset``."""
        return self._compare("gte", offset)

    def lt(self, offset: int | float | timedelta) -> Expectation:
        """Less than ``offset``."""
        return self._compare("lt", offset)

    def lte(self, offset: int | float | timedelta) -> Expectation:
        """At most ``offset``."""
        return self._compare("lte", offset)

    def equals(self, offset: int | float | timedelta) -> Expectation:
        """Exactly ``offset``."""
        return self._compare("equals", offset)

    def not_equals(self, offset: int | float | timedelta) -> Expectation:
        """Anything but ``offset``."""
        return self._compare("not_equals", offset)

    ge = gte
    le = lte

    def __repr__(self) -> str:
        return f"{self._owner}.timestamp_offset_{self._direction}_current_time()"


@dataclass(frozen=True, eq=False, repr=False)
class PropertyExpectation(Expectation):
    """A property of a whole column meets a condition. ``property_name`` is one of :data:`PROPERTIES`."""

    property_name: str
    column: str
    condition: Condition

    def __repr__(self) -> str:
        return f"E.col({self.column!r}).{self.property_name}(){self.condition!r}"


@dataclass(frozen=True, eq=False, repr=False)
class SizeExpectation(Expectation):
    """The length of each row's array meets a condition; undecided for a null array."""

    column: str
    condition: Condition

    @property
    def level(self) -> str:
        return ROW

    def __repr__(self) -> str:
        return f"E.col({self.column!r}).size(){self.condition!r}"


@dataclass(frozen=True, eq=False, repr=False)
class CountExpectation(Expectation):
    """The number of rows of the dataset meets a condition."""

    condition: Condition

    @property
    def level(self) -> str:
        return DATASET

    def __repr__(self) -> str:
        return f"E.count(){self.condition!r}"


@dataclass(frozen=True, eq=False, repr=False)
class Property(Comparable):
    """A number about a whole column, waiting for its comparison."""

    _finish: Callable[[Condition], Expectation]
    _text: str

    def _demand(self, condition: Condition) -> Expectation:
        return self._finish(condition)

    def __repr__(self) -> str:
        return self._text


class Extreme(Property, TimestampComparable):
    """The smallest or largest value of a column; a timestamp's also compares with instants and with now."""

    _hints = {
        f"{name}_col": "Only static bounds and offsets to the current time follow min_value() and max_value()."
        for name in ("is_before", "is_after", "is_on_or_before", "is_on_or_after")
    }


@dataclass(frozen=True, eq=False, repr=False)
class RowCount(Comparable):
    """The dataset's number of rows; compares with a number or with ``E.dataset_ref('name').count()``."""

    def _compare(self, operator: str, value: object) -> Expectation:
        if isinstance(value, ReferenceCount):
            return CountExpectation(CompareCount(operator, value.dataset))
        if isinstance(value, str | bool):
            raise ExpectationValueError(f"E.count().{operator}", value, "a row count compares with a number.", caller())
        return super()._compare(operator, value)

    def _demand(self, condition: Condition) -> Expectation:
        return CountExpectation(condition)

    def __repr__(self) -> str:
        return "E.count()"


@dataclass(frozen=True, eq=False, repr=False)
class ReferenceCount(Fluent):
    """The row count of another dataset; only an operand of ``E.count()``."""

    dataset: str

    def __repr__(self) -> str:
        return f"E.dataset_ref({self.dataset!r}).count()"
