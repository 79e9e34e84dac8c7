"""Foundry's model library on open-source parts: adapters, their state, and models as parameters of transforms.

Nothing here imports Spark, reads a file or looks at the clock when imported.
"""

from __future__ import annotations

import importlib
from typing import Any

from palantir_models.adapter import ModelAdapter
from palantir_models.declarations.fields import DFType, ModelApiColumn
from palantir_models.declarations.model_api import ModelApi
from palantir_models.declarations.ndarray import NDArray
from palantir_models.declarations.types import (
    FileSystem,
    MediaReference,
    Object,
    ObjectSet,
    Pandas,
    Parameter,
    Spark,
)
from palantir_models.errors import PalantirModelsError, nearest
from palantir_models.hosted import ContainerModelAdapter, ExternalModelAdapter
from palantir_models.publishing import ModelVersionChangeType
from palantir_models.results import InferenceResults
from palantir_models.serialization import auto_serialize
from palantir_models.serializers.base import ModelSerializer
from palantir_models.state import ModelStateReader, ModelStateWriter

__all__ = [
    "ContainerModelAdapter",
    "DFType",
    "ExternalModelAdapter",
    "FileSystem",
    "InferenceResults",
    "MediaReference",
    "ModelAdapter",
    "ModelApi",
    "ModelApiColumn",
    "ModelSerializer",
    "ModelStateReader",
    "ModelStateWriter",
    "ModelVersionChangeType",
    "NDArray",
    "Object",
    "ObjectSet",
    "PalantirModelsError",
    "Pandas",
    "Parameter",
    "Spark",
    "auto_serialize",
]

# Reachable as attributes (`pm.transforms.evaluation`) without being loaded by every `import palantir_models`.
_SUBMODULES = ("code_workspaces", "evaluations", "experiments", "models", "serializers", "transforms")


def __getattr__(name: str) -> Any:
    if name in _SUBMODULES:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"palantir_models has no {name!r}.{nearest(name, [*__all__, *_SUBMODULES])}")
