"""The sum of a numeric column, nulls left out. Whole numbers never wrap around; no value on a column of nulls.

A long is summed as two halves of 32 bits, which cannot overflow below two billion rows and costs less than decimals. A
decimal whose sum leaves 38 digits becomes null in Spark; that is told apart from "no values" by their count.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from pyspark.sql import functions as F
from pyspark.sql import types as T

from mirror.checks.columns import ref
from mirror.checks.encoding import tagged, untagged
from mirror.checks.metrics.base import ScanMetric
from mirror.checks.metrics.null_count import present

if TYPE_CHECKING:
    from pyspark.sql import Column

OVERFLOWED = "overflowed"
"""The value of a sum that does not fit its type."""

_HALF = 2**32
_WIDE = Context(prec=76)


def _plus(left: Any, right: Any) -> Any:
    """The sum; an overflow stays one. Python alone would round decimals to 28 digits."""
    if left is None or right is None:
        return None
    return _WIDE.add(left, right) if isinstance(left, Decimal) else left + right


@dataclass(frozen=True)
class Total(ScanMetric):
    """State: (number of values, their sum or ``None``)."""

    kind: ClassVar[str] = "sum"
    column: str
    data_type: T.DataType = field(repr=False)

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    @property
    def reveals(self) -> bool:
        # the sum of one value is that value
        return True

    def aggregates(self) -> dict[str, Column]:
        column = ref(self.column)
        counted = {present(self.column): F.count(column)}
        if isinstance(self.data_type, T.IntegralType):
            whole = column.cast("long")
            return counted | {
                f"{self.key}:high": F.sum(F.shiftright(whole, 32)),
                f"{self.key}:low": F.sum(whole.bitwiseAND(F.lit(_HALF - 1))),
            }
        return counted | {self.key: F.sum(column)}

    def state(self, row: Mapping[str, Any]) -> tuple[int, Any]:
        count = int(row[present(self.column)])
        if count == 0:
            return 0, None
        if isinstance(self.data_type, T.IntegralType):
            return count, int(row[f"{self.key}:high"]) * _HALF + int(row[f"{self.key}:low"])
        return count, row[self.key]

    def merge(self, left: tuple[int, Any], right: tuple[int, Any]) -> tuple[int, Any]:
        if left[0] == 0 or right[0] == 0:
            return right if left[0] == 0 else left
        return left[0] + right[0], _plus(left[1], right[1])

    def value(self, state: tuple[int, Any]) -> Any:
        count, total = state
        if count == 0:
            return None
        too_long = isinstance(total, Decimal) and total.adjusted() >= 38
        return OVERFLOWED if total is None or too_long else total

    def to_json(self, state: tuple[int, Any]) -> Any:
        return [state[0], tagged(state[1])]

    def from_json(self, document: Any) -> tuple[int, Any]:
        return int(document[0]), untagged(document[1])
