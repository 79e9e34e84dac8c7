"""Messages of a chat."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

__all__ = ["ChatMessage", "ChatMessageRole"]


class ChatMessageRole(StrEnum):
    """Who speaks."""

    SYSTEM = "SYSTEM"
    USER = "USER"
    ASSISTANT = "ASSISTANT"


@dataclass
class ChatMessage:
    """One message: who says what."""

    role: ChatMessageRole
    content: Any = None
