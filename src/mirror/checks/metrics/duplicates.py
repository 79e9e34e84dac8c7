"""How many combinations of key values occur more than once, and how many rows are too many. Null is a value here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pyspark.sql import functions as F

from mirror.checks.metrics.base import KeyMetric
from mirror.checks.metrics.row_count import RowCount

if TYPE_CHECKING:
    from pyspark.sql import Column

    from mirror.checks.proofs import Proofs

GROUP_ROWS = "·rows"


@dataclass(frozen=True)
class Duplicates(KeyMetric):
    """State and value: the number of combinations that repeat; 0 on an empty dataset."""

    kind: ClassVar[str] = "duplicate_keys"

    def from_footers(self, proofs: Proofs) -> int | None:
        return 0 if proofs.footers.rows == 0 else None

    def within(self) -> dict[str, Column]:
        return {GROUP_ROWS: F.count(F.lit(1))}

    def across(self) -> dict[str, Column]:
        return {self.key: F.count(F.when(F.col(GROUP_ROWS) > 1, F.lit(1)))}

    def state(self, row: Mapping[str, Any]) -> int:
        return int(row[self.key])

    @property
    def kept_as(self) -> RowCount:
        return RowCount()

    def judged(self, groups: Mapping[str, int]) -> int:
        return sum(rows > 1 for rows in groups.values())

    def value(self, state: int) -> int:
        return state
