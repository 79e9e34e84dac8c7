"""Connections that end: a client that sends its request too slowly, or does not take its answer, is cut off.

uvicorn bounds the time between two requests of a connection; how long a request's head may take, how long a refused
client may go on sending, and how long an answer may wait to be taken, it leaves open.
"""

from __future__ import annotations

import asyncio
from typing import ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from mirror.serving.settings import Limits

_DISCARDED = 4
"""Times the longest body: what a refused client may still send before it is cut off without waiting."""


class PatientProtocol(H11Protocol):
    """One connection. Subclassed with its limits by :func:`protocol`."""

    limits: ClassVar[Limits]

    _head: asyncio.TimerHandle | None = None
    _write: asyncio.TimerHandle | None = None
    _beyond: int = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """The first head is awaited from now on."""
        super().connection_made(transport)
        self._await_head()

    def data_received(self, data: bytes) -> None:
        """While no request is being answered, whatever arrives is the next head, or the rest of a refused body."""
        super().data_received(data)
        if self.cycle is not None and not self.cycle.response_complete:
            self._head = _cancel(self._head)
            self._beyond = 0
            return
        self._beyond += len(data)
        if self._beyond > _DISCARDED * self.limits.body_bytes:
            self.transport.abort()
        elif self._head is None:
            self._await_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """No timer outlives its connection."""
        self._head, self._write = _cancel(self._head), _cancel(self._write)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not take its answer."""
        super().pause_writing()
        if self._write is None:
            self._write = self.loop.call_later(self.limits.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It does again."""
        self._write = _cancel(self._write)
        super().resume_writing()

    def timeout_keep_alive_handler(self) -> None:
        """An idle connection is closed, and cut where the client does not take what was written before."""
        super().timeout_keep_alive_handler()
        self.loop.call_later(self.limits.write_seconds, self.transport.abort)

    def _await_head(self) -> None:
        self._head = self.loop.call_later(self.limits.head_seconds, self.transport.abort)


def protocol(limits: Limits) -> type[PatientProtocol]:
    """The protocol class of a server."""
    return type("LivePatientProtocol", (PatientProtocol,), {"limits": limits})


def _cancel(timer: asyncio.TimerHandle | None) -> asyncio.TimerHandle | None:
    if timer is not None:
        timer.cancel()
    return None
