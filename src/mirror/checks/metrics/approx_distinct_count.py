"""About how many distinct values a column has, nulls left out; 0 on an empty dataset.

The sketch (HyperLogLog with 1,024 registers on 64-bit hashes) has a relative standard deviation of 3.3 %, inside the
documented 5 %, and merges by taking the larger of two registers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pyspark.sql import functions as F

from mirror.checks.columns import ref
from mirror.checks.metrics.base import ScanMetric
from mirror.checks.sketch import LOG_REGISTERS, Registers, decode, empty, estimate, merge

if TYPE_CHECKING:
    from pyspark.sql import Column


@dataclass(frozen=True)
class ApproxDistinctCount(ScanMetric):
    """State: the registers."""

    kind: ClassVar[str] = "approx_distinct_count"
    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def aggregates(self) -> dict[str, Column]:
        column = ref(self.column)
        hashed = F.when(column.isNotNull(), F.xxhash64(column))
        return {self.key: F.hll_sketch_agg(hashed, F.lit(LOG_REGISTERS))}

    def state(self, row: Mapping[str, Any]) -> Registers:
        sketch = row[self.key]
        return empty() if sketch is None else decode(bytes(sketch))

    def merge(self, left: Registers, right: Registers) -> Registers:
        return merge(left, right)

    def value(self, state: Registers) -> int:
        return estimate(state)

    def to_json(self, state: Registers) -> str:
        return state.hex()

    def from_json(self, document: Any) -> Registers:
        return bytes.fromhex(document)
