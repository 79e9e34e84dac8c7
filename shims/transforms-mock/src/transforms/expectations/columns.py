"""``E.col('name')`` and everything that can be asked of one column."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from transforms._names import caller
from transforms.expectations.conditions import (
    Absent,
    Among,
    AmongForeign,
    AtColumn,
    CompareColumn,
    Condition,
    Holds,
    Matches,
    Present,
    Scalar,
    scalar,
    values,
)
from transforms.expectations.errors import ExpectationValueError
from transforms.expectations.properties import (
    Comparable,
    Extreme,
    Property,
    PropertyExpectation,
    SizeExpectation,
    TimestampComparable,
)
from transforms.expectations.tree import DATASET, ROW, Expectation, Fluent

_UNIQUE = "Use E.group_by('column').is_unique() or E.primary_key('column')."


@dataclass(frozen=True, eq=False, repr=False)
class ColumnExpectation(Expectation):
    """Each row's value in one column meets a condition."""

    column: str
    condition: Condition

    @property
    def level(self) -> str:
        # another dataset's values are found by a join, which no predicate on a row can make
        return DATASET if isinstance(self.condition, AmongForeign) else ROW

    def __repr__(self) -> str:
        return f"E.col({self.column!r}){self.condition!r}"


@dataclass(frozen=True, eq=False, repr=False)
class TypeExpectation(Expectation):
    """The column is present and has the type (a Spark or Polars type, instance or class, held as given)."""

    column: str
    data_type: Any

    def __repr__(self) -> str:
        return f"E.col({self.column!r}).has_type({self.data_type!r})"


@dataclass(frozen=True, eq=False, repr=False)
class ExistsExpectation(Expectation):
    """The column is present, whatever its type."""

    column: str

    def __repr__(self) -> str:
        return f"E.col({self.column!r}).exists()"


class ColumnProperties(Fluent):
    """Properties a column has as a whole, over the dataset or within each group."""

    def _property(self, name: str) -> Property:
        raise NotImplementedError

    def _extreme(self, name: str) -> Extreme:
        raise NotImplementedError

    def null_percentage(self) -> Property:
        """The share of nulls as a fraction: 0.1 is ten percent."""
        return self._property("null_percentage")

    def null_count(self) -> Property:
        """The number of nulls."""
        return self._property("null_count")

    def distinct_count(self) -> Property:
        """The exact number of distinct values, nulls left out."""
        return self._property("distinct_count")

    def approx_distinct_count(self) -> Property:
        """The number of distinct values within a relative standard deviation of five percent."""
        return self._property("approx_distinct_count")

    def sum(self) -> Property:
        """The sum of a numeric column."""
        return self._property("sum")

    def standard_deviation_sample(self) -> Property:
        """The sample standard deviation of a numeric column; undefined for fewer than two values."""
        return self._property("standard_deviation_sample")

    def standard_deviation_population(self) -> Property:
        """The population standard deviation of a numeric column."""
        return self._property("standard_deviation_population")

    def min_value(self) -> Extreme:
        """The smallest value; of a timestamp column also for comparison with instants and with now."""
        return self._extreme("min_value")

    def max_value(self) -> Extreme:
        """The largest value; of a timestamp column also for comparison with instants and with now."""
        return self._extreme("max_value")


@dataclass(frozen=True, eq=False, repr=False)
class Column(Comparable, TimestampComparable, ColumnProperties):
    """One column, waiting for what is expected of it."""

    _name: str

    _hints = {
        "unique": _UNIQUE,
        "is_unique": _UNIQUE,
        "between": "Write E.all(E.col('c').gte(low), E.col('c').lte(high)).",
        "is_not_in": "Write E.negate(E.col('c').is_in(...)).",
        "not_in": "Write E.negate(E.col('c').is_in(...)).",
        "not_null": "Use .non_null().",
        "is_not_null": "Use .non_null().",
        "count": "Use E.count() or E.group_by('column').count().",
    }

    def __repr__(self) -> str:
        return f"E.col({self._name!r})"

    def _demand(self, condition: Condition) -> Expectation:
        return ColumnExpectation(self._name, condition)

    def _property(self, name: str) -> Property:
        return Property(self._finish(name), f"{self!r}.{name}()")

    def _extreme(self, name: str) -> Extreme:
        return Extreme(self._finish(name), f"{self!r}.{name}()")

    def _finish(self, name: str) -> Callable[[Condition], Expectation]:
        return lambda condition: PropertyExpectation(name, self._name, condition)

    def non_null(self) -> Expectation:
        """No null."""
        return ColumnExpectation(self._name, Present())

    def is_null(self) -> Expectation:
        """Nothing but null."""
        return ColumnExpectation(self._name, Absent())

    def is_in(self, *allowed: Scalar | None) -> Expectation:
        """One of the values; null fails unless ``None`` is listed. On an array column every element is among them."""
        return ColumnExpectation(self._name, Among(values(f"{self!r}.is_in", allowed)))

    def rlike(self, regex: str) -> Expectation:
        """The regular expression (Java syntax) occurs in the text."""
        if not isinstance(regex, str):
            raise ExpectationValueError(f"{self!r}.rlike", regex, "give the pattern as a string.", caller())
        return ColumnExpectation(self._name, Matches(regex))

    def array_contains(self, value: Scalar | None) -> Expectation:
        """Each row's array holds ``value``."""
        element = None if value is None else scalar(f"{self!r}.array_contains", value)
        return ColumnExpectation(self._name, Holds(element))

    def size(self) -> Property:
        """The length of each row's array."""
        return Property(lambda condition: SizeExpectation(self._name, condition), f"{self!r}.size()")

    def has_type(self, data_type: Any) -> Expectation:
        """The column is present with this type, e.g. ``T.LongType()``."""
        if data_type is None or isinstance(data_type, Fluent | Expectation):
            raise ExpectationValueError(f"{self!r}.has_type", data_type, "give a type such as T.LongType().", caller())
        return TypeExpectation(self._name, data_type)

    def exists(self) -> Expectation:
        """The column is present."""
        return ExistsExpectation(self._name)

    def equals_col(self, column: str) -> Expectation:
        """Equal to the other column of the same row."""
        return self._compare_column("equals", column)

    def not_equals_col(self, column: str) -> Expectation:
        """Different from the other column of the same row."""
        return self._compare_column("not_equals", column)

    def gt_col(self, column: str) -> Expectation:
        """Greater than the other column of the same row."""
        return self._compare_column("gt", column)

    def gte_col(self, column: str) -> Expectation:
        """Greater than or equal to the other column of the same row."""
        return self._compare_column("gte", column)

    def lt_col(self, column: str) -> Expectation:
        """Less than the other column of the same row."""
        return self._compare_column("lt", column)

    def lte_col(self, column: str) -> Expectation:
        """Less than or equal to the other column of the same row."""
        return self._compare_column("lte", column)

    ge_col = gte_col
    le_col = lte_col

    def is_before_col(self, column: str, offset_in_seconds: int = 0) -> Expectation:
        """Before the other timestamp column moved by that many seconds."""
        return self._at_column("is_before", column, offset_in_seconds)

    def is_after_col(self, column: str, offset_in_seconds: int = 0) -> Expectation:
        """After the other timestamp column moved by that many seconds."""
        return self._at_column("is_after", column, offset_in_seconds)

    def is_on_or_before_col(self, column: str, offset_in_seconds: int = 0) -> Expectation:
        """Not after the other timestamp column moved by that many seconds."""
        return self._at_column("is_on_or_before", column, offset_in_seconds)

    def is_on_or_after_col(self, column: str, offset_in_seconds: int = 0) -> Expectation:
        """Not before the other timestamp column moved by that many seconds."""
        return self._at_column("is_on_or_after", column, offset_in_seconds)

    def is_in_foreign_col(self, foreign_column: object) -> Expectation:
        """Every value occurs in ``E.dataset_ref('input').col('name')``; null is ignored. Costs a join."""
        from transforms.expectations.references import ForeignColumn

        if not isinstance(foreign_column, ForeignColumn):
            raise ExpectationValueError(
                f"{self!r}.is_in_foreign_col", foreign_column, "give E.dataset_ref('input').col('name').", caller()
            )
        return ColumnExpectation(self._name, AmongForeign(foreign_column.dataset, foreign_column.column))

    def _compare_column(self, operator: str, column: object) -> Expectation:
        return ColumnExpectation(self._name, CompareColumn(operator, self._other(f"{operator}_col", column)))

    def _at_column(self, name: str, column: object, offset: object) -> Expectation:
        if isinstance(offset, bool) or not isinstance(offset, int):
            raise ExpectationValueError(
                f"{self!r}.{name}_col", offset, "the offset is a whole number of seconds.", caller()
            )
        return ColumnExpectation(self._name, AtColumn(name, self._other(f"{name}_col", column), offset))

    def _other(self, call: str, column: object) -> str:
        if not isinstance(column, str):
            raise ExpectationValueError(
                f"{self!r}.{call}", column, "give the other column's name as a string.", caller()
            )
        return column


def col(name: str) -> Column:
    """One column of the dataset; names resolve as in Spark, without regard to case."""
    if not isinstance(name, str) or not name:
        raise ExpectationValueError("E.col", name, "give the column's name as a string.", caller())
    return Column(name)
