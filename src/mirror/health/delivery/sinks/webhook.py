"""Posts the message as a JSON document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mirror.health.delivery.messages import Message
from mirror.health.delivery.sinks.limits import seconds_of
from mirror.health.delivery.sinks.posting import post
from mirror.health.delivery.sinks.secrets import Secret
from mirror.health.delivery.sinks.sink import Surroundings


class WebhookSink:
    """``url``, and ``token``, which is sent as a bearer token. The message's id is its ``Idempotency-Key``."""

    type: ClassVar[str] = "webhook"
    keys: ClassVar[frozenset[str]] = frozenset({"url", "token", "timeout_seconds"})

    def __init__(self, settings: Mapping[str, object], surroundings: Surroundings) -> None:
        self._url = Secret.parse("url", settings.get("url"), surroundings)
        token = settings.get("token")
        self._token = None if token is None else Secret.parse("token", token, surroundings)
        self._seconds = seconds_of(settings)

    def send(self, message: Message) -> None:
        """As :func:`post`."""
        headers = {"Idempotency-Key": message.id}
        if self._token is not None:
            headers["Authorization"] = f"Bearer {self._token.reveal()}"
        post(self._url, message.to_json(), headers, self._seconds)
