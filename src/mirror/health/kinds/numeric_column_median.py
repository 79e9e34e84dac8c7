"""The median of a numeric column, nulls left out."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import model_validator

from mirror.health.case import HealthCase
from mirror.health.declaration import ContentCheck, OneOrMore, some_part
from mirror.health.errors import NotApplicableError, SubjectMissingError
from mirror.health.finding import Finding, Status
from mirror.health.judging import Judgement
from mirror.health.thresholds import NumericBounds, Text, Trend
from mirror.health.typed_columns import numeric_column


class NumericColumnMedian(ContentCheck):
    """Exact. Medians of parts do not add up to that of the whole, so every new commit takes a read."""

    kind: ClassVar[str] = "numericColumnMedian"

    column_name: Text
    bounds: Annotated[tuple[NumericBounds, ...], OneOrMore] = ()
    trend: Trend | None = None

    @model_validator(mode="after")
    def _limited(self) -> NumericColumnMedian:
        some_part(self, "bounds", "trend")
        return self

    def evaluate(self, case: HealthCase) -> Finding:
        numeric_column(case.content.columns, self.column_name)
        event = case.subject.newest.rid
        if self.trend is not None and case.content.hides(self.column_name):
            raise SubjectMissingError(
                f"{self.column_name} of {self.dataset} is sensitive: no median of it is kept, so there is no trend"
            )
        median = self._known(case, event)
        if median is None:
            median = case.content.median(self.column_name)
        if median is None:
            raise NotApplicableError(f"{self.column_name} of {self.dataset} holds no value")
        judgement = Judgement(f"median of {self.column_name}", self.reason, hidden=case.content.hides(self.column_name))
        judgement.bounds(self.bounds, median, median)
        judgement.trend(self.trend, case.previous(event), median)
        return judgement.finding(median, event=event)

    def _known(self, case: HealthCase, event: str) -> float | None:
        """What an earlier report read in this very transaction."""
        for report in case.earlier:
            if report.event == event and report.value is not None and report.status in (Status.PASSED, Status.FAILED):
                return report.value
        return None
