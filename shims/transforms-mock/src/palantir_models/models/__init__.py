"""Adapters and what belongs to them."""

from palantir_models.adapter import ModelAdapter
from palantir_models.models.environment import CondaDependency, PythonEnvironment
from palantir_models.publishing import ModelVersionChangeType
from palantir_models.state import ModelStateReader, ModelStateWriter

__all__ = [
    "CondaDependency",
    "ModelAdapter",
    "ModelStateReader",
    "ModelStateWriter",
    "ModelVersionChangeType",
    "PythonEnvironment",
]
