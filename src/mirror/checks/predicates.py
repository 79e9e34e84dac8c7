"""Row expectations as Spark columns: true, false, or null where a row is undecided (see ``rules.UNDECIDED_PASSES``).

Null rules (source: the Foundry page on data expectations): comparisons and patterns ignore null; ``is_in`` fails on it
unless ``None`` is listed; ``non_null`` and ``is_null`` decide it. ``all``, ``any`` and ``negate`` follow Spark's
three-valued logic, so an undecided part never turns a row into a violation by itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import reduce
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F
from pyspark.sql import types as T

from mirror.checks.columns import Columns, ref
from mirror.checks.errors import MixedLevelsError, PatternError
from mirror.checks.operands import (
    ARRAY,
    NUMERIC,
    OTHER,
    STRING,
    TIMESTAMP,
    Value,
    bound,
    compare,
    family,
    literal,
    operand,
)
from mirror.checks.ranges import refuse_swapped
from mirror.checks.rules import UNDECIDED_PASSES
from transforms.expectations.columns import ColumnExpectation
from transforms.expectations.conditions import (
    TIMESTAMP_OPERATORS,
    Absent,
    Among,
    AtColumn,
    CompareColumn,
    Condition,
    Holds,
    Matches,
    Present,
)
from transforms.expectations.properties import SizeExpectation
from transforms.expectations.tree import AllOf, AnyOf, Conditional, Constant, Expectation, Negation

PatternCheck = Callable[[str], str | None]
"""Says what is wrong with a regular expression in Spark's eyes, or ``None``."""


@dataclass(frozen=True)
class Predicates:
    """Builds predicates against one dataset's columns at one ``now``."""

    columns: Columns
    now: datetime
    pattern_fault: PatternCheck

    def passes(self, expectation: Expectation) -> Column:
        """Whether a row passes; never null. Raises :class:`NotComputable` errors."""
        return decided(self.three_valued(expectation))

    def three_valued(self, expectation: Expectation) -> Column:
        """Whether a row passes, null where undecided."""
        if isinstance(expectation, Constant):
            return F.lit(expectation.passes)
        if isinstance(expectation, AllOf):
            refuse_swapped(expectation, self.columns, self.now)
        if isinstance(expectation, AllOf | AnyOf):
            parts = [self.three_valued(part) for part in expectation.parts]
            return reduce(lambda a, b: a & b if isinstance(expectation, AllOf) else a | b, parts)
        if isinstance(expectation, Negation):
            return ~self.three_valued(expectation.part)
        if isinstance(expectation, Conditional):
            # an undecided row passes its condition, so it must meet the consequence
            return F.when(self.passes(expectation.condition), self.three_valued(expectation.consequence)).otherwise(
                self.three_valued(expectation.alternative)
            )
        if isinstance(expectation, SizeExpectation):
            return self._size(expectation)
        if isinstance(expectation, ColumnExpectation):
            return self._column(expectation.column, expectation.condition)
        raise MixedLevelsError(self.columns.dataset, repr(expectation))

    def columns_of(self, expectation: Expectation) -> tuple[str, ...]:
        """The columns a row expectation looks at, resolved, in order of appearance."""
        names: list[str] = []
        for node in expectation.walk():
            if isinstance(node, ColumnExpectation | SizeExpectation):
                names.append(self.columns[node.column].name)
                if isinstance(node.condition, CompareColumn | AtColumn):
                    names.append(self.columns[node.condition.other].name)
        return tuple(dict.fromkeys(names))

    def _value(self, name: str) -> Value:
        field = self.columns[name]
        return Value(self.columns.dataset, field.name, field.dataType)

    def _column(self, name: str, condition: Condition) -> Column:
        value = self._value(name)
        column = ref(value.what)
        if isinstance(condition, Present):
            return column.isNotNull()
        if isinstance(condition, Absent):
            return column.isNull()
        if isinstance(condition, Among):
            return _array_among(value, condition) if value.family == ARRAY else _among(value, column, condition)
        if isinstance(condition, Holds):
            return _holds(value, column, condition)
        if isinstance(condition, Matches):
            return self._matches(value, column, condition)
        if isinstance(condition, CompareColumn):
            return self._beside(value, condition)
        if isinstance(condition, AtColumn):
            return self._at_column(value, condition)
        return demanded(value, column, condition, self.now)

    def _matches(self, value: Value, column: Column, condition: Matches) -> Column:
        if value.family != STRING:
            raise value.refuse(condition, "patterns apply to strings; cast the column.")
        fault = self.pattern_fault(condition.pattern)
        if fault is not None:
            raise PatternError(value.dataset, value.what, condition.pattern, fault)
        return column.rlike(condition.pattern)

    def _beside(self, value: Value, condition: CompareColumn) -> Column:
        other = self._value(condition.other)
        if value.family != other.family or value.family in (ARRAY, OTHER):
            raise value.refuse(
                f"{other.what} of type {other.kind.simpleString()}", "compare columns of one plain kind, or cast one."
            )
        return compare(ref(value.what), condition.operator, ref(other.what))

    def _at_column(self, value: Value, condition: AtColumn) -> Column:
        other = self._value(condition.other)
        for side in (value, other):
            if side.family != TIMESTAMP:
                raise side.refuse(condition, "timestamp expectations take Timestamp columns only; cast it.")
        moved = F.unix_micros(ref(other.what)) + F.lit(condition.offset * 1_000_000)
        return compare(F.unix_micros(ref(value.what)), TIMESTAMP_OPERATORS[condition.name], moved)

    def _size(self, expectation: SizeExpectation) -> Column:
        value = self._value(expectation.column)
        if value.family != ARRAY:
            raise value.refuse("size()", "only arrays have a size.")
        column = ref(value.what)
        # size(null) is -1 or null depending on Spark's version and settings; a null array is undecided in all of them
        length = F.when(column.isNotNull(), F.size(column))
        counted = Value(value.dataset, f"the size of {value.what}", T.IntegerType())
        return demanded(counted, length, expectation.condition, self.now)


def decided(three_valued: Column) -> Column:
    """Undecided rows get the verdict of ``rules.UNDECIDED_PASSES``."""
    return F.coalesce(three_valued, F.lit(UNDECIDED_PASSES))


def demanded(value: Value, column: Column, condition: Condition, now: datetime) -> Column:
    """A comparison of any Spark column that carries ``value``; null when the column is."""
    limit = bound(value, condition, now)
    return compare(column, limit.operator, literal(value, limit.operand))


def _among(value: Value, column: Column, condition: Among) -> Column:
    """``isin`` never says true for null and, above ten values, tells 0.0 from -0.0: both are put right here."""
    listed: list[Any] = []
    for v in condition.values:
        if v is not None:
            normalised = operand(value, v)
            listed.append(literal(value, normalised))
            if value.family == NUMERIC and normalised == 0 and isinstance(value.kind, T.FractionalType):
                listed += [F.lit(0.0), F.lit(-0.0)] if not isinstance(value.kind, T.DecimalType) else []
    found = column.isin(listed) if listed else F.when(column.isNotNull(), F.lit(False))
    return F.coalesce(found, F.lit(None in condition.values))


def _element(value: Value, asked: Condition) -> Value:
    if not isinstance(value.kind, T.ArrayType):
        raise value.refuse(asked, "only array columns contain elements; use equals or is_in.")
    element = value.kind.elementType
    if family(element) in (ARRAY, OTHER):
        raise value.refuse(asked, "only arrays of plain values are searched.")
    return Value(value.dataset, f"the elements of {value.what}", element)


def _array_among(value: Value, condition: Among) -> Column:
    """Every element is listed; a null array is undecided, a null element follows the rule of ``is_in``."""
    element = _element(value, condition)
    return F.forall(ref(value.what), lambda x: _among(element, x, condition))


def _holds(value: Value, column: Column, condition: Holds) -> Column:
    """Some element equals the one wanted; null elements beside it do not make the answer unknown."""
    element = _element(value, condition)
    if condition.element is None:
        return F.exists(column, lambda x: x.isNull())
    wanted = literal(element, operand(element, condition.element))
    return F.exists(column, lambda x: F.coalesce(x == wanted, F.lit(False)))
