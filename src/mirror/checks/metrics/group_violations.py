"""How many groups break a condition on one of their properties; a group whose property has no value breaks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pyspark.sql import functions as F

from mirror.checks.metrics.base import KeyMetric
from transforms.expectations.groups import GroupExpectation

if TYPE_CHECKING:
    from pyspark.sql import Column

    from mirror.checks.proofs import Proofs


@dataclass(frozen=True)
class GroupViolations(KeyMetric):
    """State and value: the number of groups; 0 on an empty dataset.

    ``aggregate`` is the property as a Spark aggregate called ``name``, ``passes`` the condition on that name.
    """

    kind: ClassVar[str] = "group_violations"
    expectation: GroupExpectation
    name: str = field(repr=False, compare=False)
    aggregate: Column = field(repr=False, compare=False)
    passes: Column = field(repr=False, compare=False)

    @property
    def key(self) -> str:
        return f"{self.kind}({self.expectation!r})"

    @property
    def columns(self) -> tuple[str, ...]:
        column = self.expectation.column
        return self.keys if column is None or column in self.keys else (*self.keys, column)

    def from_footers(self, proofs: Proofs) -> int | None:
        return 0 if proofs.footers.rows == 0 else None

    def within(self) -> dict[str, Column]:
        return {self.name: self.aggregate}

    def across(self) -> dict[str, Column]:
        return {self.key: F.count(F.when(~self.passes, F.lit(1)))}

    def state(self, row: Mapping[str, Any]) -> int:
        return int(row[self.key])

    def value(self, state: int) -> int:
        return state
