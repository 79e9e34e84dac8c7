"""The older way to declare inputs and outputs (not the transform parameters of the same names)."""

from palantir_models.declarations.fields import DFType, ModelApiColumn
from palantir_models.declarations.model_api import ModelApi, ModelInput, ModelOutput

__all__ = ["DFType", "ModelApi", "ModelApiColumn", "ModelInput", "ModelOutput"]
