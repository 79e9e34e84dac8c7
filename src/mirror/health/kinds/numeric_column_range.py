"""Every value of a numeric column lies in a range."""

from __future__ import annotations

import math
from typing import Annotated, ClassVar

from pydantic import Field

from mirror.checks.columns import Columns
from mirror.checks.metrics.base import ScanMetric
from mirror.checks.metrics.extremes import MaxValue, MinValue
from mirror.health.case import HealthCase
from mirror.health.declaration import ContentCheck, OneOrMore
from mirror.health.errors import NotApplicableError
from mirror.health.finding import Finding
from mirror.health.judging import Judgement
from mirror.health.thresholds import NumericBounds, Text
from mirror.health.typed_columns import numeric_column


class NumericColumnRange(ContentCheck):
    """Null is ignored. NaN lies outside every range."""

    kind: ClassVar[str] = "numericColumnRange"

    column_name: Text
    bounds: Annotated[tuple[NumericBounds, ...], OneOrMore] = Field(min_length=1)

    def metrics(self, columns: Columns) -> tuple[ScanMetric, ...]:
        field = numeric_column(columns, self.column_name)
        return MinValue(field.name, field.dataType), MaxValue(field.name, field.dataType)

    def evaluate(self, case: HealthCase) -> Finding:
        low, high = case.content.values(*self.metrics(case.content.columns))
        if low is None:
            raise NotApplicableError(f"{self.column_name} of {self.dataset} holds no value")
        judgement = Judgement(f"values of {self.column_name}", self.reason, hidden=case.content.hides(self.column_name))
        # NaN is the greatest value of a column, so the maximum tells of it
        judgement.bounds(self.bounds, high if math.isnan(high) else low, high)
        measured: dict[str, object] = {"lowest": _plain(low), "highest": _plain(high)}
        text = f"{float(low):,.6g} to {float(high):,.6g}"
        return judgement.finding(None, shown=text, event=case.subject.newest.rid, measured=measured)


def _plain(value: float) -> float | str:
    return float(value) if math.isfinite(value) else str(value)
