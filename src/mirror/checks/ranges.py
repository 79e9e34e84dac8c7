"""Finds ranges that no value can lie in: their ends are swapped, or both exclude the one value between them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime

from pyspark.sql import types as T

from mirror.checks.columns import Columns
from mirror.checks.errors import NotComputable, SwappedRangeError
from mirror.checks.operands import Bound, Value, bound, property_kind, spark_order
from transforms.expectations.columns import ColumnExpectation
from transforms.expectations.conditions import AtInstant, AtNow, Compare
from transforms.expectations.groups import GroupExpectation
from transforms.expectations.properties import CountExpectation, PropertyExpectation, SizeExpectation
from transforms.expectations.tree import AllOf, Expectation

Compared = ColumnExpectation | SizeExpectation | CountExpectation | PropertyExpectation | GroupExpectation


def refuse_swapped(demanded: AllOf, columns: Columns, now: datetime) -> None:
    """Raises :class:`SwappedRangeError` when two parts of ``demanded`` leave no value for one thing they compare."""
    floors: dict[str, tuple[Bound, Value]] = {}
    ceilings: dict[str, tuple[Bound, Value]] = {}
    for part in _flat(demanded.parts):
        condition = getattr(part, "condition", None)
        if not isinstance(part, Compared) or not isinstance(condition, Compare | AtInstant | AtNow):
            continue
        try:
            value = _compared(part, columns)
            limit = bound(value, condition, now)
        except NotComputable:
            # the part reports that by itself
            continue
        # what is compared, as code
        subject = repr(part).removesuffix(repr(condition)).split(".timestamp_offset_")[0]
        side = {"gt": floors, "gte": floors, "lt": ceilings, "lte": ceilings}.get(limit.operator)
        if side is not None:
            side[subject] = (_tighter(limit, side[subject][0]) if subject in side else limit, value)
    for subject, (low, value) in floors.items():
        if subject in ceilings and _nothing_between(low, high := ceilings[subject][0]):
            ends = low.text(value.kind), high.text(value.kind)
            raise SwappedRangeError(columns.dataset, subject, *ends)


def _flat(parts: Iterable[Expectation]) -> Iterator[Expectation]:
    for part in parts:
        if isinstance(part, AllOf):
            yield from _flat(part.parts)
        else:
            yield part


def _compared(part: Compared, columns: Columns) -> Value:
    if isinstance(part, ColumnExpectation):
        field = columns[part.column]
        return Value(columns.dataset, field.name, field.dataType)
    if isinstance(part, SizeExpectation):
        return Value(columns.dataset, f"the size of {part.column}", T.IntegerType())
    if isinstance(part, CountExpectation) or part.column is None:
        return Value(columns.dataset, "the row count", T.LongType())
    return Value(columns.dataset, part.column, property_kind(part.property_name, columns[part.column].dataType))


def _tighter(one: Bound, other: Bound) -> Bound:
    order = spark_order(one.operand, other.operand)
    if order == 0:
        return one if one.operator in ("gt", "lt") else other
    return one if (order > 0) is one.operator.startswith("g") else other


def _nothing_between(low: Bound, high: Bound) -> bool:
    order = spark_order(low.operand, high.operand)
    return order > 0 or (order == 0 and (low.operator, high.operator) != ("gte", "lte"))
