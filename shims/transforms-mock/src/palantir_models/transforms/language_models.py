"""Palantir-provided language models as parameters of a transform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from palantir_models import language_models as lm
from transforms.api import LightweightInputParam

if TYPE_CHECKING:
    from transforms.api._job import Job


class _LanguageModelInput(LightweightInputParam):
    """A language model by rid. It is no part of a build's plan: nothing makes it stale, nobody has to bind it."""

    kind = "language_model_input"
    _model: ClassVar[type[lm.LanguageModel]] = lm.LanguageModel

    def __init__(self, alias: str, **recorded: Any) -> None:
        super().__init__(alias)
        self._recorded = recorded

    def _default_binding(self) -> Any:
        return None

    def _bind(self, bound: Any, job: Job | None = None) -> Any:
        return bound if bound is not None else self._model(str(self.alias))


class AnthropicClaudeLanguageModelInput(_LanguageModelInput):
    """Claude."""

    _model = lm.AnthropicClaudeLanguageModel


class GenericChatCompletionLanguageModelInput(_LanguageModelInput):
    """A chat model behind the generic interface."""

    _model = lm.GenericChatCompletionLanguageModel


class GenericCompletionLanguageModelInput(_LanguageModelInput):
    """A completion model behind the generic interface."""

    _model = lm.GenericCompletionLanguageModel


class GenericEmbeddingModelInput(_LanguageModelInput):
    """An embedding model behind the generic interface."""

    _model = lm.GenericEmbeddingModel


class GenericVisionCompletionLanguageModelInput(_LanguageModelInput):
    """A vision model behind the generic interface."""

    _model = lm.GenericVisionCompletionLanguageModel


class OpenAiGptChatLanguageModelInput(_LanguageModelInput):
    """A GPT chat model."""

    _model = lm.OpenAiGptChatLanguageModel


class OpenAiGptChatWithVisionLanguageModelInput(_LanguageModelInput):
    """A GPT chat model that reads images."""

    _model = lm.OpenAiGptChatWithVisionLanguageModel
