"""Prints; what a channel without a sink of its own gets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mirror.health.delivery.messages import Message
from mirror.health.delivery.sinks.sink import Surroundings


class StdoutSink:
    """The message as people read it, a blank line behind it."""

    type: ClassVar[str] = "stdout"
    keys: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, settings: Mapping[str, object], surroundings: Surroundings) -> None:
        self._write = surroundings.write

    def send(self, message: Message) -> None:
        """Never fails but by what the stream itself raises."""
        self._write(f"{', '.join(message.recipients)}\n{message.text}\n\n")
