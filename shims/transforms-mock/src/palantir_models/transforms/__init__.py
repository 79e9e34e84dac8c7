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
