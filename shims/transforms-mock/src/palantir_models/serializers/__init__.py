"""The serializers of ``auto_serialize`` and of hand-written ``save``/``load``; frameworks are imported when one is
made.
"""

from palantir_models.serializers.base import ModelSerializer
from palantir_models.serializers.cloudpickle import CloudPickleSerializer
from palantir_models.serializers.dill import DillSerializer
from palantir_models.serializers.text import JsonSerializer, YamlSerializer

__all__ = ["CloudPickleSerializer", "DillSerializer", "JsonSerializer", "ModelSerializer", "YamlSerializer"]
