"""How many distinct values of a column do not occur in a column of another dataset; nulls left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mirror.checks.metrics.base import ForeignMetric


@dataclass(frozen=True)
class ForeignValues(ForeignMetric):
    """State and value: the number of values without a counterpart; 0 on an empty dataset."""

    kind: ClassVar[str] = "values_without_counterpart"
    foreign_column: str
    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def value(self, state: int) -> int:
        return state
