"""Requests for completions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from language_model_service_api.languagemodelservice_api import ChatMessage

__all__ = ["GenericCompletionRequest", "GptChatCompletionRequest"]


@dataclass
class GptChatCompletionRequest:
    """A chat to be continued; further settings (temperature, max_tokens, stop, ...) as Foundry names them."""

    messages: Sequence[ChatMessage] = field(default_factory=list)
    temperature: float | None = None
    max_tokens: int | None = None
    stop: Sequence[str] | None = None
    n: int | None = None
    seed: int | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    functions: Any = None
    tools: Any = None


@dataclass
class GenericCompletionRequest:
    """A prompt to be completed."""

    prompt: str = ""
    temperature: float | None = None
    max_tokens: int | None = None
    stop_sequences: Sequence[str] | None = None
    top_k: int | None = None
    top_p: float | None = None
