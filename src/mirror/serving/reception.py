"""Taking a request's body in: refused before it is read when it is too long, and held to a budget while it arrives."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

from mirror.serving import answers
from mirror.serving.settings import Limits
from mirror.serving.workline import ClientGoneError

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]


class Buffers:
    """The memory that bodies may take together, counted as they arrive: an announced length takes nothing."""

    def __init__(self, limit: int) -> None:
        self.limit, self.held = limit, 0

    @contextmanager
    def portion(self) -> Iterator[Callable[[int], None]]:
        """A function that takes bytes from the budget (raising Refusal, 429); all come back at the end."""
        mine = 0

        def take(count: int) -> None:
            nonlocal mine
            if self.held + count > self.limit:
                raise answers.too_many(1.0)
            self.held += count
            mine += count

        try:
            yield take
        finally:
            self.held -= mine


async def receive_body(receive: Receive, announced: str | None, limits: Limits, take: Callable[[int], None]) -> bytes:
    """The whole body. Raises Refusal (413, 429, 408) or ClientGoneError.

    Args:
        announced: the ``Content-Length`` header.
        take: as given by :meth:`Buffers.portion`.
    """
    if announced is not None and int(announced) > limits.body_bytes:
        raise answers.too_large(limits.body_bytes)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(limits.body_seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise ClientGoneError
                part: bytes = message.get("body", b"")
                size += len(part)
                if size > limits.body_bytes:
                    raise answers.too_large(limits.body_bytes)
                take(len(part))
                parts.append(part)
                if not message.get("more_body", False):
                    return parts[0] if len(parts) == 1 else b"".join(parts)
    except TimeoutError:
        raise answers.too_slow(limits.body_seconds) from None


async def hung_up(receive: Receive) -> None:
    """Returns when the client has closed its side."""
    while (await receive())["type"] != "http.disconnect":
        pass
