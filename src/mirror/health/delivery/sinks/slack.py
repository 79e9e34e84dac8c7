"""Posts to an incoming webhook of Slack, or of anything that takes its format (Mattermost, Rocket.Chat)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from mirror.health.delivery.messages import Message
from mirror.health.delivery.sinks.limits import seconds_of
from mirror.health.delivery.sinks.posting import post
from mirror.health.delivery.sinks.secrets import Secret
from mirror.health.delivery.sinks.sink import Surroundings

_BLOCK = 2_900
"""Slack takes 3,000 characters of text in a section."""


class SlackSink:
    """``url`` of the webhook, which is a secret. Names from the data are escaped: none can mention a channel."""

    type: ClassVar[str] = "slack"
    keys: ClassVar[frozenset[str]] = frozenset({"url", "timeout_seconds"})

    def __init__(self, settings: Mapping[str, object], surroundings: Surroundings) -> None:
        self._url = Secret.parse("url", settings.get("url"), surroundings)
        self._seconds = seconds_of(settings)

    def send(self, message: Message) -> None:
        """As :func:`post`."""
        subject = escaped(message.subject)
        body = escaped("\n".join((", ".join(message.recipients), *message.lines)))
        shown = body if len(body) <= _BLOCK else body[:_BLOCK].rsplit("\n", 1)[0] + "\n…"
        document = {
            "text": subject,
            "blocks": [
                {"type": "section", "text": {"type": "mrkdwn", "text": f"*{subject}*"[:_BLOCK]}},
                {"type": "section", "text": {"type": "plain_text", "text": shown}},
            ],
        }
        post(self._url, document, {}, self._seconds)


def escaped(text: str) -> str:
    """The three characters that mean something to Slack, as it wants them."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
