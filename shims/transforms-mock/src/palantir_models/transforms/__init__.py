"""Models inside transforms."""

from palantir_models.transforms.distributed import DistributedInferenceWrapper
from palantir_models.transforms.evaluation import evaluation
from palantir_models.transforms.files import copy_model_to_driver
from palantir_models.transforms.language_models import (
    AnthropicClaudeLanguageModelInput,
    GenericChatCompletionLanguageModelInput,
    GenericCompletionLanguageModelInput,
    GenericEmbeddingModelInput,
    GenericVisionCompletionLanguageModelInput,
    OpenAiGptChatLanguageModelInput,
    OpenAiGptChatWithVisionLanguageModelInput,
)
from palantir_models.transforms.params import ModelInput, ModelOutput
from transforms._names import module_getattr

__all__ = [
    "AnthropicClaudeLanguageModelInput",
    "DistributedInferenceWrapper",
    "GenericChatCompletionLanguageModelInput",
    "GenericCompletionLanguageModelInput",
    "GenericEmbeddingModelInput",
    "GenericVisionCompletionLanguageModelInput",
    "ModelInput",
    "ModelOutput",
    "OpenAiGptChatLanguageModelInput",
    "OpenAiGptChatWithVisionLanguageModelInput",
    "copy_model_to_driver",
    "evaluation",
]

_CONTAINERS = "Containers beside a transform are in transforms.sidecar."
_NOTES = {
    "sidecar": _CONTAINERS,
    "Volume": _CONTAINERS,
    "transform": "Import it from transforms.api.",
}

__getattr__ = module_getattr("palantir_models.transforms", __all__, _NOTES)
