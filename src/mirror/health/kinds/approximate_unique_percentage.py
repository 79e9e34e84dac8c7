"""About how many percent of the rows hold a value of their own."""

from __future__ import annotations

from typing import Annotated, ClassVar

from mirror.checks.columns import Columns
from mirror.checks.metrics.approx_distinct_count import ApproxDistinctCount
from mirror.checks.metrics.base import ScanMetric
from mirror.checks.metrics.row_count import RowCount
from mirror.health.case import HealthCase
from mirror.health.declaration import Bounded, ContentCheck, OneOrMore
from mirror.health.errors import NotApplicableError
from mirror.health.finding import Finding
from mirror.health.judging import Judgement
from mirror.health.thresholds import PercentageBounds, Text


class ApproximateUniquePercentage(ContentCheck, Bounded):
    """Distinct values, from a sketch that is off by some 3 %, over all rows: null is no value of its own."""

    kind: ClassVar[str] = "approximateUniquePercentage"

    column_name: Text
    bounds: Annotated[tuple[PercentageBounds, ...], OneOrMore] = ()

    def metrics(self, columns: Columns) -> tuple[ScanMetric, ...]:
        return ApproxDistinctCount(columns[self.column_name].name), RowCount()

    def evaluate(self, case: HealthCase) -> Finding:
        event = case.subject.newest.rid
        distinct, rows = case.content.values(*self.metrics(case.content.columns))
        if not rows:
            raise NotApplicableError(f"{self.dataset} holds no row")
        percent = min(100.0, distinct / rows * 100)
        judgement = Judgement(f"unique values in {self.column_name}", self.reason, lambda value: f"{value:.4g} %")
        judgement.bounds(self.bounds, percent, percent)
        judgement.deviation(self.median_deviation, case.points(event), percent, percent)
        return judgement.finding(percent, event=event, measured={"distinct": distinct, "rows": rows})
