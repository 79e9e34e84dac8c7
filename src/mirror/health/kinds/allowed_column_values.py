"""Every value of a column is in a list."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, StrictBool, StrictFloat, StrictInt, StrictStr

from mirror.checks.columns import Columns
from mirror.checks.metrics.violations import Violations
from mirror.health.case import HealthCase
from mirror.health.content import violations
from mirror.health.declaration import ContentCheck, Graded
from mirror.health.finding import Finding
from mirror.health.offenders import none_offends
from mirror.health.thresholds import Text
from mirror.health.typed_columns import comparable_column
from transforms import expectations as E


class AllowedColumnValues(ContentCheck, Graded):
    """Null is allowed only with ``allowNull``."""

    kind: ClassVar[str] = "allowedColumnValues"

    column_name: Text
    allowed_values: tuple[StrictStr | StrictBool | StrictInt | StrictFloat, ...] = Field(min_length=1)
    allow_null: bool = False

    def metrics(self, columns: Columns) -> tuple[Violations, ...]:
        name = comparable_column(columns, self.column_name, self.allowed_values).name
        values = (*self.allowed_values, None) if self.allow_null else self.allowed_values
        return (violations(E.col(name).is_in(*values), name),)

    def evaluate(self, case: HealthCase) -> Finding:
        return none_offends(self, case, f"values of {self.column_name} outside the list")
