"""The serializers under the name of the older, separate package."""

from palantir_models.serializers import (
    CloudPickleSerializer,
    DillSerializer,
    HfAutoModelSerializer,
    HfAutoTokenizerSerializer,
    HfPipelineSerializer,
    JsonSerializer,
    ModelSerializer,
    PytorchStateSerializer,
    SparkMLAutoSerializer,
    TensorflowFormat,
    TensorflowKerasSerializer,
    XGBoostSerializer,
    YamlSerializer,
)

__all__ = [
    "CloudPickleSerializer",
    "DillSerializer",
    "HfAutoModelSerializer",
    "HfAutoTokenizerSerializer",
    "HfPipelineSerializer",
    "JsonSerializer",
    "ModelSerializer",
    "PytorchStateSerializer",
    "SparkMLAutoSerializer",
    "TensorflowFormat",
    "TensorflowKerasSerializer",
    "XGBoostSerializer",
    "YamlSerializer",
]
