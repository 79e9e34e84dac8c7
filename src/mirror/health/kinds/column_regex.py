"""Every value of a text column matches a regular expression."""

from __future__ import annotations

from typing import ClassVar

from mirror.checks.columns import Columns
from mirror.checks.metrics.violations import Violations
from mirror.health.case import HealthCase
from mirror.health.content import violations
from mirror.health.declaration import ContentCheck, Graded
from mirror.health.finding import Finding
from mirror.health.offenders import none_offends
from mirror.health.thresholds import Text
from mirror.health.typed_columns import text_column
from transforms import expectations as E


class ColumnRegex(ContentCheck, Graded):
    """A match anywhere in the value will do, unless the expression is anchored; null is ignored. It is Java's."""

    kind: ClassVar[str] = "columnRegex"
    api: ClassVar[bool] = False

    column_name: Text
    regex: Text

    def metrics(self, columns: Columns) -> tuple[Violations, ...]:
        name = text_column(columns, self.column_name).name
        return (violations(E.col(name).rlike(self.regex), name),)

    def evaluate(self, case: HealthCase) -> Finding:
        return none_offends(self, case, f"values of {self.column_name} that do not match {self.regex!r}")
