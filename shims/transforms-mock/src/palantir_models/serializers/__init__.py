"""The serializers of ``auto_serialize`` and of hand-written ``save`` and ``load``.

Making one imports no framework: a package that is missing is asked for by name when something is stored or loaded.
"""

from palantir_models.serializers.base import ModelSerializer
from palantir_models.serializers.cloudpickle import CloudPickleSerializer
from palantir_models.serializers.dill import DillSerializer
from palantir_models.serializers.huggingface import (
    HfAutoModelSerializer,
    HfAutoTokenizerSerializer,
    HfPipelineSerializer,
)
from palantir_models.serializers.pytorch import PytorchStateSerializer
from palantir_models.serializers.spark_ml import SparkMLAutoSerializer
from palantir_models.serializers.tensorflow import TensorflowFormat, TensorflowKerasSerializer
from palantir_models.serializers.text import JsonSerializer, YamlSerializer
from palantir_models.serializers.xgboost import XGBoostSerializer

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
