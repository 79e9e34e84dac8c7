"""The share of nulls in a column, in percent."""

from __future__ import annotations

from typing import Annotated, ClassVar

from mirror.checks.columns import Columns
from mirror.checks.metrics.null_count import NullPercentage
from mirror.health.case import HealthCase
from mirror.health.declaration import Bounded, ContentCheck, OneOrMore
from mirror.health.errors import NotApplicableError
from mirror.health.finding import Finding
from mirror.health.judging import Judgement
from mirror.health.thresholds import PercentageBounds, Text


class NullPercentageCheck(ContentCheck, Bounded):
    """Between 0 and 100, unlike the fraction of the data expectation of that name."""

    kind: ClassVar[str] = "nullPercentage"

    column_name: Text
    bounds: Annotated[tuple[PercentageBounds, ...], OneOrMore] = ()

    def metrics(self, columns: Columns) -> tuple[NullPercentage, ...]:
        return (NullPercentage(columns[self.column_name].name),)

    def evaluate(self, case: HealthCase) -> Finding:
        event = case.subject.newest.rid
        (share,) = case.content.values(*self.metrics(case.content.columns))
        if share is None:
            raise NotApplicableError(f"{self.dataset} holds no row")
        percent = share * 100
        judgement = Judgement(f"nulls in {self.column_name}", self.reason, lambda value: f"{value:.4g} %")
        judgement.bounds(self.bounds, percent, percent)
        judgement.deviation(self.median_deviation, case.points(event), percent, percent)
        return judgement.finding(percent, event=event)
