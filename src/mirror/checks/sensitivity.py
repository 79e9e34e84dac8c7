"""Which columns hold values that no result may show."""

from __future__ import annotations

from collections.abc import Iterable

from mirror.datasets.records import StoredSchema

TYPE_CLASS = "sensitive"


def hides(sensitive: Iterable[str], column: str) -> bool:
    """Whether no result may show values of that column; the case of names does not matter, as in Spark."""
    return column.lower() in {name.lower() for name in sensitive}


def sensitive_columns(schema: StoredSchema | None, declared: Iterable[str] = ()) -> frozenset[str]:
    """The ``declared`` columns, and those whose writer gave them a type class of the kind or name ``sensitive``.

    Foundry's documentation knows type classes as free pairs of kind and name; that this one hides values is ours.
    """
    marked = {
        column
        for column, classes in (schema.column_typeclasses if schema is not None else {}).items()
        if any(TYPE_CLASS in (str(one.get("kind")).lower(), str(one.get("name")).lower()) for one in classes)
    }
    return frozenset(declared) | marked
