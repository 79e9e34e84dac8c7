"""Palantir-provided language models: declared as in Foundry, answered by a stand-in of yours or not at all.

The models themselves run in Foundry. A repository that uses them imports and registers here; a transform that calls one
needs a stand-in: any object with the methods the transform calls.
"""

from __future__ import annotations

from typing import Any, Self

from palantir_models.errors import NeedsFoundryError

_stand_ins: dict[str, Any] = {}


def use_stand_in(name: str, answers: Any) -> None:
    """Lets ``answers`` serve the language model of this rid or API name in this process; ``None`` takes it away."""
    if answers is None:
        _stand_ins.pop(name, None)
    else:
        _stand_ins[name] = answers


class LanguageModel:
    """One language model; every call goes to its stand-in. Raises ``NeedsFoundryError`` without one."""

    def __init__(self, name: str) -> None:
        self._name = name

    @classmethod
    def get(cls, name: str) -> Self:
        """The model of an API name, as functions and compute modules ask for it."""
        return cls(name)

    def __getattr__(self, method: str) -> Any:
        if method.startswith("_"):
            raise AttributeError(method)
        if self._name not in _stand_ins:
            raise NeedsFoundryError(
                f"{type(self).__name__} {self._name!r}", "is served by Foundry only.",
                f"Register what answers {method}() here: palantir_models.language_models.use_stand_in(name, object).",
            )  # fmt: skip
        return getattr(_stand_ins[self._name], method)


class AnthropicClaudeLanguageModel(LanguageModel):
    """Claude, through Foundry."""


class GenericChatCompletionLanguageModel(LanguageModel):
    """A chat model behind the generic interface."""


class GenericCompletionLanguageModel(LanguageModel):
    """A completion model behind the generic interface."""


class GenericEmbeddingModel(LanguageModel):
    """An embedding model behind the generic interface."""


class GenericVisionCompletionLanguageModel(LanguageModel):
    """A vision model behind the generic interface."""


class OpenAiGptChatLanguageModel(LanguageModel):
    """A GPT chat model, through Foundry."""


class OpenAiGptChatWithVisionLanguageModel(LanguageModel):
    """A GPT chat model that reads images, through Foundry."""


class VisionLLMDocumentPageExtractor(LanguageModel):
    """Text of document pages by a vision model, through Foundry."""

    def __init__(self, name: Any = "", **options: Any) -> None:
        super().__init__(str(name))
        self.options = options
