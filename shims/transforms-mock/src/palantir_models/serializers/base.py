"""The base of every serializer, and how one asks for a package it needs."""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from palantir_models.errors import MissingPackageError

if TYPE_CHECKING:
    from palantir_models.state import ModelStateReader, ModelStateWriter

T = TypeVar("T")


class ModelSerializer(ABC, Generic[T]):
    """Stores one object in a folder of the version's state and reads it back.

    Subclass it in a shared library for a type of your own. The same object must give the same bytes.
    """

    @abstractmethod
    def serialize(self, writer: ModelStateWriter, obj: T) -> None:
        """Writes ``obj`` below the writer's root."""

    @abstractmethod
    def deserialize(self, reader: ModelStateReader) -> T:
        """Reads what :meth:`serialize` wrote."""


def package(module: str, wanted_by: str, install: str | None = None) -> Any:
    """The module, imported now. Raises ``MissingPackageError`` with the line for the conda recipe when it is absent."""
    try:
        return importlib.import_module(module)
    except ImportError:
        name = install or module.split(".")[0]
        raise MissingPackageError(
            wanted_by,
            f"needs the package {name!r}, which is not installed.",
            f"Add '{name}' under requirements/run in conda_recipe/meta.yaml, and locally: pip install {name}.",
        ) from None
