"""The values of one or several columns are unique and never null."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from mirror.health.case import HealthCase
from mirror.health.declaration import ContentCheck, Graded
from mirror.health.finding import Finding, Status
from mirror.health.thresholds import Text
from transforms import expectations as E


class PrimaryKey(ContentCheck, Graded):
    """Known without reading where the build judged the same key on this transaction."""

    kind: ClassVar[str] = "primaryKey"

    columns: tuple[Text, ...] = Field(min_length=1)

    def evaluate(self, case: HealthCase) -> Finding:
        names = [case.content.columns[name].name for name in self.columns]
        event = case.subject.newest.rid
        good, detail = case.content.verdict(E.primary_key(*names), f"primary_key({', '.join(names)})")
        text = f"key ({', '.join(names)}): {detail or 'unique and never null'}"
        status = Status.PASSED if good else Status.FAILED
        return Finding(status, text if good or not self.reason else f"{text} ({self.reason})", event=event)
