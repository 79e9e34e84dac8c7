"""How many rows break a row expectation. Undecided rows (nulls, mostly) do not; an empty dataset has 0."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pyspark.sql import functions as F

from mirror.checks.metrics.base import ScanMetric
from transforms.expectations.conditions import AtNow
from transforms.expectations.tree import Expectation

if TYPE_CHECKING:
    from pyspark.sql import Column

    from mirror.checks.proofs import Proofs


@dataclass(frozen=True)
class Violations(ScanMetric):
    """State: the count.

    ``expectation`` is the identity; ``passes`` is the same as a Spark column and ``reads`` the columns in it.
    """

    kind: ClassVar[str] = "violations"
    expectation: Expectation
    passes: Column = field(repr=False, compare=False)
    reads: tuple[str, ...] = field(repr=False, compare=False)

    @property
    def columns(self) -> tuple[str, ...]:
        return self.reads

    @property
    def stable(self) -> bool:
        return not any(isinstance(getattr(node, "condition", None), AtNow) for node in self.expectation.walk())

    def from_footers(self, proofs: Proofs) -> int | None:
        return 0 if proofs.no_row_breaks(self.expectation) else None

    def aggregates(self) -> dict[str, Column]:
        return {self.key: F.count(F.when(~self.passes, F.lit(1)))}

    def state(self, row: Mapping[str, Any]) -> int:
        return int(row[self.key])

    def merge(self, left: int, right: int) -> int:
        return left + right

    def value(self, state: int) -> int:
        return state
