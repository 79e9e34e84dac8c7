"""A column exists, and has a type."""

from __future__ import annotations

from typing import ClassVar

from mirror.health.case import HealthCase
from mirror.health.column_types import ColumnType, type_of
from mirror.health.declaration import DatasetCheck, Graded
from mirror.health.finding import Finding, Status
from mirror.health.schemas import columns_of
from mirror.health.thresholds import Text


class ColumnTypeCheck(DatasetCheck, Graded):
    """Without ``columnType`` any type will do; with ``present: false`` the column must not be there."""

    kind: ClassVar[str] = "columnType"

    column_name: Text
    column_type: ColumnType | None = None
    present: bool = True

    def evaluate(self, case: HealthCase) -> Finding:
        kind = columns_of(case.subject.view).get(self.column_name)
        right = (kind is not None) is self.present
        if right and kind is not None and self.column_type is not None:
            right = kind == type_of(self.column_type)
        text = f"{self.column_name}: " + ("no such column" if kind is None else kind)
        if not right:
            wanted = (self.column_type or "any type") if self.present else "no such column"
            text += f", expected {wanted}" + (f" ({self.reason})" if self.reason else "")
        return Finding(Status.PASSED if right else Status.FAILED, text, event=case.subject.newest.rid)
