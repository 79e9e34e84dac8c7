"""What every request passes: an id, who calls, one log line, one count; and the form of every refusal."""

from __future__ import annotations

import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from mirror.serving import answers
from mirror.serving.answers import Refusal
from mirror.serving.metrics import Metrics
from mirror.serving.tokens import Tokens, is_loopback

log = logging.getLogger("mirror.serving")

OPEN = frozenset({"/health/live", "/health/ready"})
"""What probes ask without a token; neither says more than yes or no to those who have none."""
INFERENCE = frozenset({"v1", "v2", "transformJson"})
"""Endpoints whose times are kept."""
CLIENT_GONE = 499
"""Logged where a client hung up before its answer; nobody receives it."""

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


@dataclass
class Call:
    """One request as log and history know it. ``endpoint`` is one of a fixed set, never the path as it was typed."""

    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    endpoint: str = "other"
    user: str | None = None
    status: int = CLIENT_GONE
    error: str | None = None
    facts: dict[str, Any] = field(default_factory=dict)


class Door:
    """Wraps the application.

    Args:
        tokens: who may call; ``None`` serves everybody on this machine.
        trusted: whether only this machine can connect.
    """

    def __init__(self, application: Application, tokens: Tokens | None, *, trusted: bool, metrics: Metrics) -> None:
        self._application, self._tokens = application, tokens
        self._trusted, self._metrics = trusted, metrics

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Serves one request."""
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        call, began, begun = Call(), time.perf_counter(), False
        scope["call"] = call

        async def sending(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun, call.status = True, message["status"]
                message["headers"] = [*message.get("headers", ()), (b"x-request-id", call.id.encode())]
            await send(message)

        try:
            self._ask(scope, call)
            await self._application(scope, receive, sending)
        except Refusal as refusal:
            call.error = str(refusal)
            await _send(sending, refusal, call)
        except Exception:
            call.error = "Internal"
            log.exception("fault", extra={"facts": {"id": call.id, "endpoint": call.endpoint}})
            if not begun:
                await _send(sending, answers.internal(), call)
        finally:
            seconds = time.perf_counter() - began
            self._metrics.count("requests_total", endpoint=call.endpoint, status=str(call.status))
            if call.endpoint in INFERENCE and call.status != CLIENT_GONE:
                self._metrics.observe(call.endpoint, seconds)
            facts = {"id": call.id, "endpoint": call.endpoint, "method": scope["method"][:16], "status": call.status}
            facts |= {"seconds": round(seconds, 6), "user": call.user, "error": call.error, **call.facts}
            log.info("request", extra={"facts": facts})

    def _ask(self, scope: MutableMapping[str, Any], call: Call) -> None:
        """Who calls. Raises Refusal (401, 403)."""
        headers = dict(scope["headers"])
        if self._tokens is None:
            host = headers.get(b"host", b"").decode("latin-1")
            # a page in this machine's browser could reach us under a name of its own that resolves to loopback
            if not is_loopback(_name_of(host)):
                raise answers.not_allowed(host)
            return
        call.user = self._tokens.owner(headers.get(b"authorization"), bare=self._trusted)
        if call.user is None and scope["path"] not in OPEN:
            raise answers.unauthorized()


def reply(refusal: Refusal, call: Call) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of a refusal."""
    return refusal.status, refusal.headers, json.dumps(refusal.document(call.id)).encode()


async def _send(send: Send, refusal: Refusal, call: Call) -> None:
    status, extra, body = reply(refusal, call)
    headers = {"content-type": "application/json", "content-length": str(len(body)), **extra}
    spelled = [(key.lower().encode(), value.encode()) for key, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": spelled})
    await send({"type": "http.response.body", "body": body})


def _name_of(host: str) -> str:
    """The name in a ``Host`` header, without its port."""
    if host.startswith("["):
        return host.partition("]")[0][1:]
    return host.rpartition(":")[0] or host
