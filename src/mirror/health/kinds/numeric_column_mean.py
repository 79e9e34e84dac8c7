"""The mean of a numeric column, nulls left out."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import model_validator

from mirror.checks.columns import Columns
from mirror.checks.metrics.base import ScanMetric
from mirror.checks.metrics.null_count import ValueCount
from mirror.checks.metrics.total import OVERFLOWED, Total
from mirror.health.case import HealthCase
from mirror.health.declaration import ContentCheck, OneOrMore, some_part
from mirror.health.errors import NotApplicableError, SubjectMissingError
from mirror.health.finding import Finding
from mirror.health.judging import Judgement
from mirror.health.thresholds import NumericBounds, Text, Trend
from mirror.health.typed_columns import numeric_column


class NumericColumnMean(ContentCheck):
    """In a range, or relative to the mean after the previous commit."""

    kind: ClassVar[str] = "numericColumnMean"

    column_name: Text
    bounds: Annotated[tuple[NumericBounds, ...], OneOrMore] = ()
    trend: Trend | None = None

    @model_validator(mode="after")
    def _limited(self) -> NumericColumnMean:
        some_part(self, "bounds", "trend")
        return self

    def metrics(self, columns: Columns) -> tuple[ScanMetric, ...]:
        field = numeric_column(columns, self.column_name)
        return Total(field.name, field.dataType), ValueCount(field.name)

    def evaluate(self, case: HealthCase) -> Finding:
        event = case.subject.newest.rid
        if self.trend is not None and case.content.hides(self.column_name):
            raise SubjectMissingError(
                f"{self.column_name} of {self.dataset} is sensitive: no mean of it is kept, so there is no trend"
            )
        total, count = case.content.values(*self.metrics(case.content.columns))
        if total == OVERFLOWED:
            raise SubjectMissingError(f"the sum of {self.column_name} of {self.dataset} leaves its type; cast it")
        if not count:
            raise NotApplicableError(f"{self.column_name} of {self.dataset} holds no value")
        mean = float(total) / count
        judgement = Judgement(f"mean of {self.column_name}", self.reason, hidden=case.content.hides(self.column_name))
        judgement.bounds(self.bounds, mean, mean)
        judgement.trend(self.trend, case.previous(event), mean)
        return judgement.finding(mean, event=event)
