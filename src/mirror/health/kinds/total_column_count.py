"""The dataset has exactly so many columns."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field

from mirror.health.case import HealthCase
from mirror.health.declaration import DatasetCheck, Graded
from mirror.health.finding import Finding, Status
from mirror.health.schemas import columns_of
from mirror.health.thresholds import Whole


class TotalColumnCount(DatasetCheck, Graded):
    """Columns inside a struct are part of one column."""

    kind: ClassVar[str] = "totalColumnCount"

    expected_value: Annotated[Whole, Field(ge=1)]

    def evaluate(self, case: HealthCase) -> Finding:
        found = len(columns_of(case.subject.view))
        good = found == self.expected_value
        text = f"{found} columns" if good else f"{found} columns, expected {self.expected_value}"
        why = f" ({self.reason})" if self.reason and not good else ""
        status = Status.PASSED if good else Status.FAILED
        return Finding(status, text + why, value=float(found), event=case.subject.newest.rid)
