"""The number of rows. Nulls count; an empty dataset has 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pyspark.sql import functions as F

from mirror.checks.metrics.base import ScanMetric

if TYPE_CHECKING:
    from pyspark.sql import Column

    from mirror.checks.proofs import Proofs

ROWS = "rows"


@dataclass(frozen=True)
class RowCount(ScanMetric):
    """State: the count."""

    kind: ClassVar[str] = "row_count"

    @property
    def columns(self) -> tuple[str, ...]:
        return ()

    def from_footers(self, proofs: Proofs) -> int:
        return proofs.footers.rows

    def aggregates(self) -> dict[str, Column]:
        return {ROWS: F.count(F.lit(1))}

    def state(self, row: Mapping[str, Any]) -> int:
        return int(row[ROWS])

    def merge(self, left: int, right: int) -> int:
        return left + right

    def value(self, state: int) -> int:
        return state
