"""Every value of a date or timestamp column lies in a range."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from pydantic import Field
from pyspark.sql import types as T

from mirror.checks.columns import Columns
from mirror.checks.errors import ColumnTypeError
from mirror.checks.metrics.base import ScanMetric
from mirror.checks.metrics.extremes import MaxValue, MinValue
from mirror.checks.operands import from_micros
from mirror.health.case import HealthCase
from mirror.health.declaration import ContentCheck, OneOrMore
from mirror.health.errors import NotApplicableError
from mirror.health.finding import Finding
from mirror.health.judging import Judgement
from mirror.health.thresholds import DateBounds, Text
from mirror.health.typed_columns import moment_column


class DateColumnRange(ContentCheck):
    """Days for a date column, instants with a time zone for a timestamp column; null is ignored."""

    kind: ClassVar[str] = "dateColumnRange"

    column_name: Text
    bounds: Annotated[tuple[DateBounds, ...], OneOrMore] = Field(min_length=1)

    def metrics(self, columns: Columns) -> tuple[ScanMetric, ...]:
        field = moment_column(columns, self.column_name)
        days = isinstance(field.dataType, T.DateType)
        for end in (end for one in self.bounds for end in (one.low, one.high) if end is not None):
            if isinstance(end, datetime) is days:
                way_out = "write a day, as 2026-01-31." if days else "write an instant, as 2026-01-31T00:00:00Z."
                raise ColumnTypeError(columns.dataset, field.name, field.dataType.simpleString(), end, way_out)
        return MinValue(field.name, field.dataType), MaxValue(field.name, field.dataType)

    def evaluate(self, case: HealthCase) -> Finding:
        ends = case.content.values(*self.metrics(case.content.columns))
        low, high = (from_micros(end) if isinstance(end, int) else end for end in ends)
        if low is None:
            raise NotApplicableError(f"{self.column_name} of {self.dataset} holds no value")
        judgement = Judgement(
            f"values of {self.column_name}", self.reason, _shown, hidden=case.content.hides(self.column_name)
        )
        judgement.bounds(self.bounds, low, high)
        measured: dict[str, object] = {"earliest": _shown(low), "latest": _shown(high)}
        text = f"{_shown(low)} to {_shown(high)}"
        return judgement.finding(None, shown=text, event=case.subject.newest.rid, measured=measured)


def _shown(moment: Any) -> str:
    return str(moment.isoformat())
