"""Conditions of a contract as expectations on a row."""

from __future__ import annotations

from typing import Any

from fleet_health.contracts.rules import COMPARISONS, Condition, Other
from transforms import expectations as E


def expectation(condition: Condition) -> Any:
    """The expectation that says the same. Null leaves a comparison undecided, which passes."""
    said = condition.said[0]
    if condition.column is not None:
        return _on_column(condition, said)
    if said in ("all", "any"):
        parts = [expectation(part) for part in getattr(condition, said)]
        return E.all(*parts) if said == "all" else E.any(*parts)
    if condition.negated is not None:
        return E.negate(expectation(condition.negated))
    assert condition.when is not None  # noqa: S101  the model lets nothing else pass
    assert condition.then is not None  # noqa: S101
    return E.when(expectation(condition.when), expectation(condition.then)).otherwise(E.true())


def _on_column(condition: Condition, said: str) -> Any:
    column, value = E.col(str(condition.column)), getattr(condition, said)
    if said == "is_null":
        return column.is_null() if value else column.non_null()
    if said == "matches":
        return column.rlike(value)
    if said == "contains":
        return column.array_contains(value)
    assert said in COMPARISONS  # noqa: S101
    if isinstance(value, Other):
        return getattr(column, f"{said}_col")(value.column)
    return getattr(column, said)(value)
