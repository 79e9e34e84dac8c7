"""The columns of a stored view, from the catalog."""

from __future__ import annotations

from mirror.datasets import View
from mirror.datasets.frames import spark_schema
from mirror.health.errors import SubjectMissingError


def columns_of(view: View) -> dict[str, str]:
    """Type by column name in the schema's order, as Spark spells it, nullability apart.

    Raises SubjectMissingError for raw files.
    """
    if view.schema is None:
        raise SubjectMissingError(f"{view.dataset.path} holds raw files: without a schema it has no columns")
    return {field.name: field.dataType.simpleString() for field in spark_schema(view.schema).fields}
