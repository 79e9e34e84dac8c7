"""Adapters and what belongs to them, and Palantir-provided language models."""

from palantir_models.adapter import ModelAdapter
from palantir_models.hosted import ContainerModelAdapter, ExternalModelAdapter
from palantir_models.language_models import (
    AnthropicClaudeLanguageModel,
    GenericChatCompletionLanguageModel,
    GenericCompletionLanguageModel,
    GenericEmbeddingModel,
    GenericVisionCompletionLanguageModel,
    OpenAiGptChatLanguageModel,
    OpenAiGptChatWithVisionLanguageModel,
    VisionLLMDocumentPageExtractor,
)
from palantir_models.models.environment import CondaDependency, PythonEnvironment
from palantir_models.publishing import ModelVersionChangeType
from palantir_models.state import ModelStateReader, ModelStateWriter
from transforms._names import module_getattr

__all__ = [
    "AnthropicClaudeLanguageModel",
    "CondaDependency",
    "ContainerModelAdapter",
    "ExternalModelAdapter",
    "GenericChatCompletionLanguageModel",
    "GenericCompletionLanguageModel",
    "GenericEmbeddingModel",
    "GenericVisionCompletionLanguageModel",
    "ModelAdapter",
    "ModelStateReader",
    "ModelStateWriter",
    "ModelVersionChangeType",
    "OpenAiGptChatLanguageModel",
    "OpenAiGptChatWithVisionLanguageModel",
    "PythonEnvironment",
    "VisionLLMDocumentPageExtractor",
]

__getattr__ = module_getattr("palantir_models.models", __all__)
