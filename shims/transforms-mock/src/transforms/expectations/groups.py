"""``E.group_by(...)`` and ``E.count()``: what holds for every group, or for the one group that is the whole dataset."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from transforms._names import caller
from transforms.expectations.columns import Column, ColumnProperties, col
from transforms.expectations.conditions import Condition
from transforms.expectations.errors import ExpectationValueError
from transforms.expectations.properties import Comparable, Extreme, Property, RowCount
from transforms.expectations.tree import Expectation, Fluent

ROWS = "count"


def key_columns(call: str, columns: tuple[object, ...]) -> tuple[str, ...]:
    """The names, each once; a list in their place is refused with the way out."""
    for name in columns:
        if not isinstance(name, str) or not name:
            raise ExpectationValueError(call, name, "give the column names one by one, as strings.", caller())
    if repeated := sorted({str(name) for name in columns if columns.count(name) > 1}):
        raise ExpectationValueError(call, repeated[0], "name each column once.", caller())
    return tuple(str(name) for name in columns)


@dataclass(frozen=True, eq=False, repr=False)
class UniqueExpectation(Expectation):
    """Each combination of values occurs at most once; null is a value of its own here."""

    keys: tuple[str, ...]

    def __repr__(self) -> str:
        return f"E.group_by({', '.join(map(repr, self.keys))}).is_unique()"


@dataclass(frozen=True, eq=False, repr=False)
class GroupExpectation(Expectation):
    """A property of every group meets a condition; ``property_name`` is :data:`ROWS` when ``column`` is ``None``."""

    keys: tuple[str, ...]
    property_name: str
    column: str | None
    condition: Condition

    def __repr__(self) -> str:
        of = "" if self.column is None else f".col({self.column!r})"
        return f"E.group_by({', '.join(map(repr, self.keys))}){of}.{self.property_name}(){self.condition!r}"


@dataclass(frozen=True, eq=False, repr=False)
class GroupCount(Comparable):
    """The number of rows of each group, waiting for its comparison."""

    _keys: tuple[str, ...]

    def _demand(self, condition: Condition) -> Expectation:
        return GroupExpectation(self._keys, ROWS, None, condition)

    def __repr__(self) -> str:
        return f"E.group_by({', '.join(map(repr, self._keys))}).count()"


@dataclass(frozen=True, eq=False, repr=False)
class GroupColumn(ColumnProperties):
    """One column within each group, waiting for its property."""

    _keys: tuple[str, ...]
    _name: str

    def __repr__(self) -> str:
        return f"E.group_by({', '.join(map(repr, self._keys))}).col({self._name!r})"

    def _property(self, name: str) -> Property:
        return Property(self._finish(name), f"{self!r}.{name}()")

    def _extreme(self, name: str) -> Extreme:
        return Extreme(self._finish(name), f"{self!r}.{name}()")

    def _finish(self, name: str) -> Callable[[Condition], Expectation]:
        return lambda condition: GroupExpectation(self._keys, name, self._name, condition)


@dataclass(frozen=True, eq=False, repr=False)
class Groups(Fluent):
    """The rows by the values of some columns, waiting for what is expected of each group."""

    _keys: tuple[str, ...]

    def __repr__(self) -> str:
        return f"E.group_by({', '.join(map(repr, self._keys))})"

    def is_unique(self) -> Expectation:
        """Each combination occurs at most once."""
        if not self._keys:
            raise ExpectationValueError("E.group_by().is_unique", (), "name the columns that identify a row.", caller())
        return UniqueExpectation(self._keys)

    def count(self) -> Comparable:
        """Rows per group; without columns, rows of the dataset."""
        return GroupCount(self._keys) if self._keys else RowCount()

    def col(self, name: str) -> GroupColumn | Column:
        """A column within each group; without columns, of the whole dataset."""
        column = col(name)
        return GroupColumn(self._keys, name) if self._keys else column


def group_by(*columns: str) -> Groups:
    """Groups the rows by the values of ``columns``; null forms a group of its own."""
    return Groups(key_columns("E.group_by", columns))


def count() -> Comparable:
    """The number of rows of the dataset."""
    return RowCount()
