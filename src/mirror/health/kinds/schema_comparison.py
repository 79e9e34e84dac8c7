"""The columns of the dataset against a list."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar

from pydantic import Field, model_validator

from mirror.health.case import HealthCase
from mirror.health.column_types import ColumnType, type_of
from mirror.health.declaration import DatasetCheck, Graded
from mirror.health.finding import Finding, Status
from mirror.health.schemas import columns_of
from mirror.health.thresholds import Part, Text


class ComparisonType(StrEnum):
    """How columns are compared.

    Foundry's sources disagree about ``COLUMN_ADDITIONS_ALLOWED_STRICT``: one says that an added column is absorbed and
    may not vanish later, the other that every type must be given and match. Both are demanded: the loudest reading.
    """

    EXACT_MATCH_ORDERED_COLUMNS = "EXACT_MATCH_ORDERED_COLUMNS"
    EXACT_MATCH_UNORDERED_COLUMNS = "EXACT_MATCH_UNORDERED_COLUMNS"
    COLUMN_ADDITIONS_ALLOWED = "COLUMN_ADDITIONS_ALLOWED"
    COLUMN_ADDITIONS_ALLOWED_STRICT = "COLUMN_ADDITIONS_ALLOWED_STRICT"


STRICT = ComparisonType.COLUMN_ADDITIONS_ALLOWED_STRICT
_ADDITIONS = (ComparisonType.COLUMN_ADDITIONS_ALLOWED, STRICT)


class ExpectedColumn(Part):
    """A type that is not given is not compared."""

    name: Text
    type: ColumnType | None = None


class SchemaComparison(DatasetCheck, Graded):
    """Names are compared exactly, types without nullability."""

    kind: ClassVar[str] = "schemaComparison"

    schema_comparison_type: ComparisonType
    expected_schema: tuple[ExpectedColumn, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _consistent(self) -> SchemaComparison:
        names = [column.name for column in self.expected_schema]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"column {twice[0]!r} is listed twice in expectedSchema; keep one")
        untyped = [column.name for column in self.expected_schema if column.type is None]
        if self.schema_comparison_type is STRICT and untyped:
            raise ValueError(f"{STRICT} compares types exactly: give the type of {untyped[0]!r}")
        return self

    def evaluate(self, case: HealthCase) -> Finding:
        found = columns_of(case.subject.view)
        faults = self._faults(found)
        absorbed = self._absorbed(case) if self.schema_comparison_type is STRICT else {}
        for name, kind in absorbed.items():
            if name not in found:
                faults.append(f"{name} was added later and is gone")
            elif found[name] != kind:
                faults.append(f"{name} is {found[name]}, was {kind} when it was added")
        text = "; ".join(faults) or f"{len(found)} columns as expected"
        why = f" ({self.reason})" if faults and self.reason else ""
        status = Status.FAILED if faults else Status.PASSED
        measured: dict[str, object] = {"columns": found, "absorbed": absorbed}
        return Finding(status, text + why, measured=measured, event=case.subject.newest.rid)

    def _faults(self, found: dict[str, str]) -> list[str]:
        wanted = {column.name: column.type for column in self.expected_schema}
        faults = [f"{name} is missing" for name in wanted if name not in found]
        faults += [
            f"{name} is {found[name]}, expected {kind}"
            for name, kind in wanted.items()
            if kind is not None and name in found and found[name] != type_of(kind)
        ]
        if self.schema_comparison_type not in _ADDITIONS:
            faults += [f"{name} is not listed" for name in found if name not in wanted]
        ordered = self.schema_comparison_type is ComparisonType.EXACT_MATCH_ORDERED_COLUMNS
        if ordered and not faults and list(found) != list(wanted):
            at = next(i for i, pair in enumerate(zip(found, wanted, strict=True)) if pair[0] != pair[1])
            faults.append(f"column {at + 1} is {list(found)[at]}, expected {list(wanted)[at]}")
        return faults

    def _absorbed(self, case: HealthCase) -> dict[str, str]:
        """Columns that a passing report saw and that are not listed: they were added, and belong to the check since."""
        before = next((one for one in case.earlier if "columns" in one.measured), None)
        if before is None:
            return {}
        seen = before.measured["columns"] if before.status is Status.PASSED else {}
        listed = {column.name for column in self.expected_schema}
        kept = {**seen, **before.measured.get("absorbed", {})}
        return {name: kind for name, kind in kept.items() if name not in listed}
