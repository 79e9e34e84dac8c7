"""The type objects of the current declaration style: ``api()`` returns two dicts of name to one of these."""

from __future__ import annotations

import json
from typing import Any

from palantir_models.declarations.fields import ColumnsLike, DFType, Field, Kind, check_parameter, columns_of
from palantir_models.errors import InferenceInputError
from transforms._names import known_arguments


class Pandas:
    """A tabular input or output held as a pandas frame. ``columns``: names, ``(name, type)`` pairs, or left out."""

    @known_arguments("Pandas")
    def __init__(self, columns: ColumnsLike | None = None) -> None:
        self.columns = columns_of(columns)

    def field(self, name: str) -> Field:
        return Field(name, Kind.TABULAR, DFType.PANDAS, self.columns)


class Spark:
    """A tabular input or output held as a Spark frame. ``columns`` as in :class:`Pandas`."""

    @known_arguments("Spark")
    def __init__(self, columns: ColumnsLike | None = None) -> None:
        self.columns = columns_of(columns)

    def field(self, name: str) -> Field:
        return Field(name, Kind.TABULAR, DFType.SPARK, self.columns)


class Parameter:
    """One value. ``type`` is a Python type, ``typing.Any`` or an :class:`~palantir_models.NDArray`; ``default`` fills a
    call that omits it.
    """

    @known_arguments("Parameter")
    def __init__(self, type: Any = Any, default: Any = None) -> None:
        check_parameter(type, default, "parameter")
        self.type = type
        self.default = default

    def field(self, name: str) -> Field:
        return Field(name, Kind.PARAMETER, type=self.type, default=self.default, required=False)


class FileSystem:
    """Files of a dataset: as an input the file system of the handle, as an output (``transform_write``) one to write
    to.
    """

    def field(self, name: str) -> Field:
        return Field(name, Kind.FILESYSTEM)


class MediaReference:
    """A reference to one media item; in calls a JSON text or a dict is converted to an instance of this class.

    Attributes:
        reference: the parsed document.
    """

    def __init__(self, reference: dict[str, Any] | None = None) -> None:
        self.reference = reference or {}

    @classmethod
    def parse(cls, value: object, where: str) -> MediaReference:
        """From an instance, a dict or JSON text. Raises ``InferenceInputError`` naming ``where`` for anything else."""
        if isinstance(value, MediaReference):
            return value
        try:
            document = json.loads(value) if isinstance(value, str | bytes) else value
        except json.JSONDecodeError:
            document = None
        if not isinstance(document, dict):
            raise InferenceInputError(where, f"{value!r} is no media reference.", "Give its JSON text or a dict.")
        return cls(document)

    @property
    def media_item_rid(self) -> str | None:
        """The rid of the item, wherever in the document it stands; ``None`` when it names none."""
        return _find(self.reference, "mediaItemRid")

    def field(self, name: str) -> Field:
        return Field(name, Kind.MEDIA_REFERENCE)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, MediaReference) and self.reference == other.reference

    def __hash__(self) -> int:
        return hash(json.dumps(self.reference, sort_keys=True, default=str))

    def __repr__(self) -> str:
        return f"MediaReference({self.reference!r})"


class Object:
    """An Ontology object of a generated SDK type; a call hands in an instance (a primary key needs Foundry's
    Ontology).
    """

    @known_arguments("Object")
    def __init__(self, object_type: Any) -> None:
        self.object_type = object_type

    def field(self, name: str) -> Field:
        return Field(name, Kind.OBJECT, type=self.object_type)


class ObjectSet:
    """An Ontology object set; a call hands in the set (its rid needs Foundry's Ontology)."""

    @known_arguments("ObjectSet")
    def __init__(self, object_type: Any) -> None:
        self.object_type = object_type

    def field(self, name: str) -> Field:
        return Field(name, Kind.OBJECT_SET, type=self.object_type)


def _find(document: object, key: str) -> str | None:
    if isinstance(document, dict):
        if isinstance(document.get(key), str):
            return str(document[key])
        for value in document.values():
            found = _find(value, key)
            if found:
                return found
    return None
