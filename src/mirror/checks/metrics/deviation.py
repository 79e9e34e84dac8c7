"""Standard deviations of a numeric column, nulls left out, NaN where a value is NaN or infinite.

The sample form has no value below two values, the population form none below one. Parts merge by Chan's formula, so a
merged deviation may differ from one computed in a single pass in the last digits.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from pyspark.sql import functions as F

from mirror.checks.columns import ref
from mirror.checks.encoding import tagged, untagged
from mirror.checks.metrics.base import ScanMetric
from mirror.checks.metrics.null_count import present

if TYPE_CHECKING:
    from pyspark.sql import Column

Moments = tuple[int, float, float]


@dataclass(frozen=True)
class _Deviation(ScanMetric):
    """State: (number of values, mean, sum of squared distances from it)."""

    column: str

    @property
    def columns(self) -> tuple[str, ...]:
        return (self.column,)

    def aggregates(self) -> dict[str, Column]:
        column = ref(self.column).cast("double")
        return {
            present(self.column): F.count(ref(self.column)),
            f"mean:{self.column}": F.avg(column),
            f"variance:{self.column}": F.var_pop(column),
        }

    def state(self, row: Mapping[str, Any]) -> Moments:
        count = int(row[present(self.column)])
        if count == 0:
            return 0, 0.0, 0.0
        return count, float(row[f"mean:{self.column}"]), float(row[f"variance:{self.column}"]) * count

    def merge(self, left: Moments, right: Moments) -> Moments:
        if left[0] == 0 or right[0] == 0:
            return right if left[0] == 0 else left
        count = left[0] + right[0]
        apart = right[1] - left[1]
        mean = left[1] + apart * right[0] / count
        return count, mean, left[2] + right[2] + apart * apart * left[0] * right[0] / count

    def to_json(self, state: Moments) -> Any:
        return [state[0], tagged(state[1]), tagged(state[2])]

    def from_json(self, document: Any) -> Moments:
        return int(document[0]), untagged(document[1]), untagged(document[2])


@dataclass(frozen=True)
class SampleDeviation(_Deviation):
    """Divides by the number of values less one."""

    kind: ClassVar[str] = "standard_deviation_sample"

    def value(self, state: Moments) -> float | None:
        return math.sqrt(state[2] / (state[0] - 1)) if state[0] > 1 else None


@dataclass(frozen=True)
class PopulationDeviation(_Deviation):
    """Divides by the number of values."""

    kind: ClassVar[str] = "standard_deviation_population"

    def value(self, state: Moments) -> float | None:
        return math.sqrt(state[2] / state[0]) if state[0] else None
