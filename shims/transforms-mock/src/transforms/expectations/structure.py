"""Primary keys and schemas: what holds for the dataset as a whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from transforms._names import caller
from transforms.expectations.errors import ExpectationValueError
from transforms.expectations.groups import key_columns
from transforms.expectations.tree import Expectation, Fluent


@dataclass(frozen=True, eq=False, repr=False)
class PrimaryKeyExpectation(Expectation):
    """No key column holds a null, and each combination occurs once."""

    keys: tuple[str, ...]

    def __repr__(self) -> str:
        return f"E.primary_key({', '.join(map(repr, self.keys))})"


@dataclass(frozen=True, eq=False, repr=False)
class SchemaExpectation(Expectation):
    """The dataset's columns and types against a list. ``mode`` is ``contains``, ``equals`` or ``is_subset_of``.

    Names compare exactly, case included; order and nullability do not matter.
    """

    mode: str
    columns: tuple[tuple[str, Any], ...]

    def __repr__(self) -> str:
        return f"E.schema().{self.mode}({{{', '.join(f'{name!r}: {kind!r}' for name, kind in self.columns)}}})"


@dataclass(frozen=True, eq=False, repr=False)
class Schema(Fluent):
    """The dataset's schema, waiting for the list it is held against."""

    def __repr__(self) -> str:
        return "E.schema()"

    def contains(self, columns: Mapping[str, Any]) -> Expectation:
        """Every listed column is there with its type; others may be too."""
        return self._against("contains", columns)

    def equals(self, columns: Mapping[str, Any]) -> Expectation:
        """Exactly the listed columns with their types."""
        return self._against("equals", columns)

    def is_subset_of(self, columns: Mapping[str, Any]) -> Expectation:
        """Every column of the dataset is listed with its type; listed ones may be missing."""
        return self._against("is_subset_of", columns)

    def _against(self, mode: str, columns: object) -> Expectation:
        if not isinstance(columns, Mapping):
            raise ExpectationValueError(f"E.schema().{mode}", columns, "give a dict of column name to type.", caller())
        for name, kind in columns.items():
            if not isinstance(name, str) or kind is None:
                raise ExpectationValueError(
                    f"E.schema().{mode}",
                    {name: kind},
                    "each entry is a column name and a type such as T.LongType().",
                    caller(),
                )
        return SchemaExpectation(mode, tuple(columns.items()))


def primary_key(*columns: str) -> Expectation:
    """The columns identify a row: none holds a null and no combination repeats."""
    if not columns:
        raise ExpectationValueError("E.primary_key", (), "name the columns that identify a row.", caller())
    return PrimaryKeyExpectation(key_columns("E.primary_key", columns))


def schema() -> Schema:
    """The dataset's schema."""
    return Schema()
