"""What every sink promises."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Protocol

from mirror.errors import VerdictError
from mirror.health.delivery.messages import Message

TIMEOUT_SECONDS = 10.0
LONGEST_SECONDS = 60.0
"""What one attempt may take at most; an outbox claim outlasts it."""


class NotDeliveredError(VerdictError):
    """A sink did not take a message. ``args``: why, without any secret, and whether trying again may help."""

    def __str__(self) -> str:
        return str(self.args[0])

    @property
    def again(self) -> bool:
        """Whether it may be taken the next time."""
        return bool(self.args[1])


@dataclass(frozen=True)
class Surroundings:
    """What sinks take from outside: the environment's variables, the workspace folder, and how to print."""

    environment: Mapping[str, str]
    folder: Path
    write: Callable[[str], None]


class Sink(Protocol):
    """``type`` names it in settings; ``keys`` are the settings it knows besides those of every sink.

    Settings are checked when a sink is made (raises ValueError with what is wrong); secrets are looked up when it
    sends, so that listing and planning need none. :meth:`send` raises NotDeliveredError.
    """

    type: ClassVar[str]
    keys: ClassVar[frozenset[str]]

    def __init__(self, settings: Mapping[str, object], surroundings: Surroundings) -> None: ...

    def send(self, message: Message) -> None:
        """Hands the message over: when this returns, the receiver has it."""
        ...
