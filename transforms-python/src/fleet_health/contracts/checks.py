"""Checks by kind, as the contracts name them; each with the contract's reason as its description.

Hard rules abort the job, soft ones warn. Names carry the contract's rule id, so that a result leads back to the rule.
"""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import types as T

from transforms import expectations as E
from transforms.api import Check


def schema_equals(rule: str, schema: T.StructType) -> Check:
    types = {field.name: field.dataType for field in schema}
    return Check(
        E.schema().equals(types), f"{rule} schema equals the contract", description="output shape is the contract"
    )


def primary_key(rule: str, columns: Sequence[str], why: str) -> Check:
    return Check(E.primary_key(*columns), f"{rule} primary key {', '.join(columns)}", description=why)


def non_null(rule: str, columns: Sequence[str], why: str) -> list[Check]:
    return [Check(E.col(name).non_null(), f"{rule} {name} is never null", description=why) for name in columns]


def in_range(rule: str, column: str, low: float | None, high: float | None, why: str) -> Check:
    """Inclusive. Nulls pass; NaN does not, because it is larger than any number."""
    limits = [E.col(column).gte(low)] if low is not None else []
    limits += [E.col(column).lte(high)] if high is not None else []
    text = f"{'' if low is None else f'{low:g} <= '}{column}{'' if high is None else f' <= {high:g}'}"
    return Check(E.all(*limits), f"{rule} {text}", description=why)


def in_set(
    rule: str, column: str, values: Sequence[str | int], why: str, *, nullable: bool = False, warn: bool = False
) -> Check:
    allowed = (*values, None) if nullable else tuple(values)
    name = f"{rule} {column} is one of the known values"
    return Check(E.col(column).is_in(*allowed), name, on_error="WARN" if warn else "FAIL", description=why)


def not_after(rule: str, earlier: str, later: str, why: str) -> Check:
    return Check(E.col(earlier).lte_col(later), f"{rule} {earlier} <= {later}", description=why)


def matches(rule: str, column: str, pattern: str, why: str) -> Check:
    return Check(E.col(column).rlike(pattern), f"{rule} {column} matches {pattern}", description=why)


def not_empty(rule: str, why: str) -> Check:
    return Check(E.count().gt(0), f"{rule} there are rows", description=why)
