"""The smallest and the largest value of a column, nulls left out. NaN is the largest number; text orders by code point.

Timestamps are kept as microseconds since the epoch. No value on a column of nulls or an empty dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pyspark.sql import functions as F
from pyspark.sql import types as T

from mirror.checks.columns import ref
from mirror.checks.encoding import tagged, untagged
from mirror.checks.metrics.base import ScanMetric
from mirror.checks.operands import TIMESTAMP, WALL_CLOCK, family, spark_order

if TYPE_CHECKING:
    from pyspark.sql import Column

    from mirror.checks.proofs import Proofs


def comparable(column: Column, kind: T.DataType) -> Column:
    """A value as checks compare it: instants as microseconds, everything else as it is."""
    if family(kind) == WALL_CLOCK:
        # a cast to timestamp would read the session's time zone, and lose an hour where that changes its clocks
        day = F.unix_date(column.cast("date")).cast("bigint") * 86_400_000_000
        clock = F.hour(column) * 3600 + F.minute(column) * 60 + F.extract(F.lit("SECOND"), column)
        return day + (clock * 1_000_000).cast("bigint")
    return F.unix_micros(column) if family(kind) == TIMESTAMP else column


@dataclass(frozen=True)
class Extreme(ScanMetric):
    """What both have in common."""

    column: str
    data_type: T.DataType = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def reveals(self) -> bool:
        return True

    def state(self, row: Mapping[str, Any]) -> Any:
        value = row[self.key]
        # which of the two zeros an aggregate or a footer names is chance
        return value + 0.0 if isinstance(value, float) else value

    def value(self, state: Any) -> Any:
        return state

    def to_json(self, state: Any) -> Any:
        return tagged(state)

    def from_json(self, document: Any) -> Any:
        return untagged(document)


@dataclass(frozen=True)
class MinValue(Extreme):
    """State: the value."""

    kind: ClassVar[str] = "min_value"

    def from_footers(self, proofs: Proofs) -> Any:
        facts = proofs.footers.column(self.column)
        return facts.low if facts.exact else None

    def aggregates(self) -> dict[str, Column]:
        return {self.key: comparable(F.min(ref(self.column)), self.data_type)}

    def merge(self, left: Any, right: Any) -> Any:
        if left is None or right is None:
            return right if left is None else left
        return left if spark_order(left, right) <= 0 else right


@dataclass(frozen=True)
class MaxValue(Extreme):
    """State: the value."""

    kind: ClassVar[str] = "max_value"

    def from_footers(self, proofs: Proofs) -> Any:
        facts = proofs.footers.column(self.column)
        return facts.high if facts.exact else None

    def aggregates(self) -> dict[str, Column]:
        return {self.key: comparable(F.max(ref(self.column)), self.data_type)}

    def merge(self, left: Any, right: Any) -> Any:
        if left is None or right is None:
            return right if left is None else left
        return left if spark_order(left, right) >= 0 else right
