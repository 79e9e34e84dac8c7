"""How many groups break a condition on one of their properties; a group whose property has no value breaks it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from pyspark.sql import functions as F

from mirror.checks.metrics.base import KeyMetric, ScanMetric, State
from mirror.checks.metrics.total import OVERFLOWED, Total
from mirror.checks.operands import Bound, holds
from mirror.checks.rules import VALUELESS_PASSES
from transforms.expectations.groups import GroupExpectation

if TYPE_CHECKING:
    from pyspark.sql import Column

    from mirror.checks.proofs import Proofs


@dataclass(frozen=True)
class GroupViolations(KeyMetric):
    """State and value: the number of groups; 0 on an empty dataset.

    ``aggregate`` is the property as a Spark aggregate called ``name``, ``passes`` the condition on that name; ``inner``
    is the same property as a metric whose states merge, ``limit`` the same condition in Python.
    """

    kind: ClassVar[str] = "group_violations"
    expectation: GroupExpectation
    name: str = field(repr=False, compare=False)
    aggregate: Column = field(repr=False, compare=False)
    passes: Column = field(repr=False, compare=False)
    inner: ScanMetric | None = field(repr=False, compare=False)
    limit: Bound = field(repr=False, compare=False)

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

    @property
    def kept_as(self) -> ScanMetric | None:
        return self.inner

    def judged(self, groups: Mapping[str, State]) -> int:
        assert self.inner is not None  # noqa: S101 - only asked for what was kept
        return sum(not self._passes(self.inner.value(state)) for state in groups.values())

    def _passes(self, value: object) -> bool:
        # a sum beyond its type is no value to Spark
        if value is None or (value == OVERFLOWED and isinstance(self.inner, Total)):
            return VALUELESS_PASSES
        return holds(value, self.limit)

    def value(self, state: int) -> int:
        return state
