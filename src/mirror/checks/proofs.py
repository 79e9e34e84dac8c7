"""Whether facts about a dataset's columns prove that no row breaks an expectation. "Cannot tell" is ``False``.

Only passing is proved: a failing check also tells how many rows break it, and that takes a scan.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyspark.sql import types as T

from mirror.checks.columns import Columns
from mirror.checks.footers import ColumnFacts, Footers
from mirror.checks.operands import Bound, Value, bound, spark_order
from transforms.expectations.columns import ColumnExpectation
from transforms.expectations.conditions import Absent, AtInstant, AtNow, Compare, CompareColumn, Condition, Present
from transforms.expectations.tree import AllOf, AnyOf, Conditional, Constant, Expectation, Negation

_OPPOSITE = {"gt": "lte", "gte": "lt", "lt": "gte", "lte": "gt", "equals": "not_equals", "not_equals": "equals"}


@dataclass(frozen=True)
class Proofs:
    """Proves row expectations of one dataset from what its footers say."""

    columns: Columns
    footers: Footers
    now: datetime

    def no_row_breaks(self, expectation: Expectation) -> bool:
        """Whether every row passes for certain."""
        return self.footers.rows == 0 or self._holds(expectation)

    def _holds(self, expectation: Expectation) -> bool:
        if isinstance(expectation, Constant):
            return expectation.passes
        if isinstance(expectation, AllOf):
            return all(map(self._holds, expectation.parts))
        if isinstance(expectation, AnyOf):
            return any(map(self._holds, expectation.parts))
        if isinstance(expectation, Negation):
            return self._refuted(expectation.part)
        if isinstance(expectation, Conditional):
            return self._holds(expectation.consequence) and self._holds(expectation.alternative)
        if isinstance(expectation, ColumnExpectation):
            return self._leaf(expectation.column, expectation.condition, negated=False)
        return False

    def _refuted(self, expectation: Expectation) -> bool:
        """Whether no row passes the expectation, undecided rows aside."""
        if isinstance(expectation, Constant):
            return not expectation.passes
        if isinstance(expectation, AllOf):
            return any(map(self._refuted, expectation.parts))
        if isinstance(expectation, AnyOf):
            return all(map(self._refuted, expectation.parts))
        if isinstance(expectation, Negation):
            return self._holds(expectation.part)
        if isinstance(expectation, ColumnExpectation):
            return self._leaf(expectation.column, expectation.condition, negated=True)
        return False

    def _leaf(self, name: str, condition: Condition, *, negated: bool) -> bool:
        field = self.columns[name]
        facts = self.footers.column(field.name)
        if isinstance(condition, Present | Absent):
            wanted = 0 if isinstance(condition, Present) is not negated else self.footers.rows
            return facts.nulls == wanted
        if facts.nulls == self.footers.rows:
            return isinstance(condition, Compare | CompareColumn | AtInstant | AtNow)
        if isinstance(condition, CompareColumn):
            return self._beside(field, facts, condition, negated)
        if not isinstance(condition, Compare | AtInstant | AtNow):
            return False
        limit = bound(Value(self.columns.dataset, field.name, field.dataType), condition, self.now)
        operator = _OPPOSITE[limit.operator] if negated else limit.operator
        return _within(facts, Bound(operator, limit.operand), field.dataType)

    def _beside(self, field: T.StructField, facts: ColumnFacts, condition: CompareColumn, negated: bool) -> bool:
        other = self.columns[condition.other]
        theirs = self.footers.column(other.name)
        if other.dataType != field.dataType or other.name == field.name:
            return False
        operator = _OPPOSITE[condition.operator] if negated else condition.operator
        if operator in ("gt", "gte"):
            return _all(facts.low, operator, theirs.high)
        return operator in ("lt", "lte") and _all(facts.high, operator, theirs.low)


def _within(facts: ColumnFacts, limit: Bound, kind: T.DataType) -> bool:
    low, high, operand = facts.low, facts.high, limit.operand
    if isinstance(kind, T.FloatType) and not isinstance(operand, float):
        # Spark compares a float with a whole number in 32 bits
        return False
    if isinstance(operand, float) and not isinstance(kind, T.DoubleType | T.FloatType):
        # Spark compares in doubles; rounding keeps the order of the bounds
        low, high = (None if v is None else float(v) for v in (low, high))
    if isinstance(kind, T.DoubleType) and not isinstance(operand, float):
        operand = float(operand)
    if limit.operator in ("gt", "gte"):
        return _all(low, limit.operator, operand)
    if limit.operator in ("lt", "lte"):
        return _all(high, limit.operator, operand)
    if limit.operator == "equals":
        return _all(low, "gte", operand) and _all(high, "lte", operand)
    return _all(low, "gt", operand) or _all(high, "lt", operand)


def _all(edge: Any, operator: str, operand: Any) -> bool:
    if edge is None or operand is None:
        return False
    order = spark_order(edge, operand)
    return {"gt": order > 0, "gte": order >= 0, "lt": order < 0, "lte": order <= 0}[operator]
