"""``E.dataset_ref('input')``: another dataset of the same transform, by the parameter name in its decorator."""

from __future__ import annotations

from dataclasses import dataclass

from transforms._names import caller
from transforms.expectations.errors import ExpectationValueError
from transforms.expectations.properties import ReferenceCount
from transforms.expectations.tree import Fluent


@dataclass(frozen=True, eq=False, repr=False)
class ForeignColumn(Fluent):
    """A column of another dataset; only an argument of ``is_in_foreign_col``."""

    dataset: str
    column: str

    def __repr__(self) -> str:
        return f"E.dataset_ref({self.dataset!r}).col({self.column!r})"


@dataclass(frozen=True, eq=False, repr=False)
class DatasetReference(Fluent):
    """Another dataset of the transform."""

    dataset: str

    def __repr__(self) -> str:
        return f"E.dataset_ref({self.dataset!r})"

    def col(self, name: str) -> ForeignColumn:
        """One of its columns."""
        if not isinstance(name, str) or not name:
            raise ExpectationValueError(f"{self!r}.col", name, "give the column's name as a string.", caller())
        return ForeignColumn(self.dataset, name)

    def count(self) -> ReferenceCount:
        """Its number of rows."""
        return ReferenceCount(self.dataset)


def dataset_ref(name: str) -> DatasetReference:
    """The dataset bound to parameter ``name`` of the same transform (not a path, not a RID)."""
    if not isinstance(name, str) or not name:
        raise ExpectationValueError(
            "E.dataset_ref", name, "give the parameter name used in the transform decorator.", caller()
        )
    if name.startswith(("/", "ri.")):
        raise ExpectationValueError(
            "E.dataset_ref",
            name,
            "give the parameter name used in the transform decorator, not a path or RID.",
            caller(),
        )
    return DatasetReference(name)
