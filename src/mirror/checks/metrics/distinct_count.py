"""How many distinct values a column has, exactly, nulls left out; 0 on an empty dataset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pyspark.sql import functions as F

from mirror.checks.columns import ref
from mirror.checks.metrics.base import NULL_GROUP, KeyMetric
from mirror.checks.metrics.duplicates import GROUP_ROWS
from mirror.checks.metrics.row_count import RowCount

if TYPE_CHECKING:
    from pyspark.sql import Column

    from mirror.checks.proofs import Proofs


@dataclass(frozen=True)
class DistinctCount(KeyMetric):
    """State and value: the number of groups whose key is not null. ``keys`` holds one column."""

    kind: ClassVar[str] = "distinct_count"

    def from_footers(self, proofs: Proofs) -> int | None:
        return 0 if proofs.footers.rows == 0 else None

    def within(self) -> dict[str, Column]:
        return {GROUP_ROWS: F.count(F.lit(1))}

    def across(self) -> dict[str, Column]:
        return {self.key: F.count(ref(self.keys[0]))}

    def state(self, row: Mapping[str, Any]) -> int:
        return int(row[self.key])

    @property
    def kept_as(self) -> RowCount:
        return RowCount()

    def judged(self, groups: Mapping[str, int]) -> int:
        return len(groups) - (NULL_GROUP in groups)

    def value(self, state: int) -> int:
        return state
