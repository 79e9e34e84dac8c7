"""How many rows hold null, how many a value, and the share of nulls. NaN is a value.

All three are counts of rows and of values, so they share the aggregates and the state: (rows, values).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pyspark.sql import functions as F

from mirror.checks.columns import ref
from mirror.checks.metrics.base import ScanMetric
from mirror.checks.metrics.row_count import ROWS

if TYPE_CHECKING:
    from pyspark.sql import Column

    from mirror.checks.proofs import Proofs

Counts = tuple[int, int]


def present(column: str) -> str:
    """The name of the aggregate that counts a column's values."""
    return f"present:{column}"


@dataclass(frozen=True)
class _Counted(ScanMetric):
    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def from_footers(self, proofs: Proofs) -> Counts | None:
        nulls = proofs.footers.column(self.column).nulls
        return None if nulls is None else (proofs.footers.rows, proofs.footers.rows - nulls)

    def aggregates(self) -> dict[str, Column]:
        return {ROWS: F.count(F.lit(1)), present(self.column): F.count(ref(self.column))}

    def state(self, row: Mapping[str, Any]) -> Counts:
        return int(row[ROWS]), int(row[present(self.column)])

    def merge(self, left: Counts, right: Counts) -> Counts:
        return left[0] + right[0], left[1] + right[1]

    def to_json(self, state: Counts) -> list[int]:
        return list(state)

    def from_json(self, document: Any) -> Counts:
        return int(document[0]), int(document[1])


@dataclass(frozen=True)
class NullCount(_Counted):
    """Rows that hold null; 0 on an empty dataset."""

    kind: ClassVar[str] = "null_count"

    def value(self, state: Counts) -> int:
        return state[0] - state[1]


@dataclass(frozen=True)
class ValueCount(_Counted):
    """Rows that hold a value; 0 on an empty dataset."""

    kind: ClassVar[str] = "value_count"

    def value(self, state: Counts) -> int:
        return state[1]


@dataclass(frozen=True)
class NullPercentage(_Counted):
    """The share of rows that hold null, between 0 and 1; no value on an empty dataset."""

    kind: ClassVar[str] = "null_percentage"

    def value(self, state: Counts) -> float | None:
        return (state[0] - state[1]) / state[0] if state[0] else None
