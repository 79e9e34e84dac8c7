"""How far the newest value of a timestamp column lies behind the newest commit."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mirror.checks.columns import Columns
from mirror.checks.metrics.extremes import MaxValue
from mirror.health.case import HealthCase
from mirror.health.declaration import ContentCheck, OneOrMore
from mirror.health.errors import NotApplicableError
from mirror.health.finding import Finding
from mirror.health.judging import Judgement
from mirror.health.spans import span
from mirror.health.thresholds import Text, TimeBounds
from mirror.health.typed_columns import moment_column


class DataFreshness(ContentCheck):
    """Judged at commits only: a dataset that nobody updates stays as fresh as it was; see timeSinceLastUpdated."""

    kind: ClassVar[str] = "dataFreshness"
    api: ClassVar[bool] = False

    column_name: Text
    bounds: Annotated[tuple[TimeBounds, ...], OneOrMore] = Field(min_length=1)

    def metrics(self, columns: Columns) -> tuple[MaxValue]:
        field = moment_column(columns, self.column_name, days=False)
        return (MaxValue(field.name, field.dataType),)

    def evaluate(self, case: HealthCase) -> Finding:
        newest = case.subject.newest
        (latest,) = case.content.values(*self.metrics(case.content.columns))
        if latest is None or newest.closed_at is None:
            raise NotApplicableError(f"{self.column_name} of {self.dataset} holds no value")
        behind = newest.closed_at.timestamp() - latest / 1e6
        judgement = Judgement(
            f"{self.column_name} behind the newest commit",
            self.reason,
            span,
            hidden=case.content.hides(self.column_name),
        )
        judgement.bounds(self.bounds, behind, behind)
        return judgement.finding(behind, event=newest.rid, measured={"seconds": behind})
