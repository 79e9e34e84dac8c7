"""One round of delivery: decide, write down, send what waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import tenacity
from sqlalchemy.engine import Connection

from mirror.builds.discovery import published_specs
from mirror.datasets import Workspace
from mirror.health.delivery import outbox
from mirror.health.delivery.concerns import Concern, read_concerns
from mirror.health.delivery.decide import Decision, Event, Held, decide
from mirror.health.delivery.inhibition import Lineage, lineage
from mirror.health.delivery.messages import Message, grouped, message
from mirror.health.delivery.outbox import Waiting
from mirror.health.delivery.silences import held_at
from mirror.health.delivery.sinks import NotDeliveredError, Sink, Sinks
from mirror.health.delivery.sinks.sink import LONGEST_SECONDS
from mirror.health.delivery.states import read_states, write_states
from mirror.health.delivery.tables import ROOM
from mirror.health.routing import Routing

ATTEMPTS = 3
FIRST_PAUSE_SECONDS = 1.0
LONGEST_PAUSE_SECONDS = 8.0
LEASE = timedelta(seconds=ATTEMPTS * (LONGEST_SECONDS + LONGEST_PAUSE_SECONDS) + 60)
"""Longer than all attempts of one message take: while it runs, no other process sends the same message."""


@dataclass(frozen=True)
class Delivery:
    """What came of a round.

    Attributes:
        delivered: sink and message, in the order they were taken. Of a preview: what would be sent.
        kept: what no sink has taken yet, and why.
        held: open alerts of which nobody is told, and why.
    """

    delivered: tuple[tuple[str, Message], ...]
    kept: tuple[Waiting, ...]
    held: tuple[Held, ...]

    def to_json(self) -> dict[str, Any]:
        """A JSON-plain document."""
        return {
            "delivered": [{"sink": sink, **sent.to_json()} for sink, sent in self.delivered],
            "undelivered": [one.to_json() for one in self.kept],
            "held": [{**one.concern.to_json(), "because": one.why} for one in self.held],
        }


def preview(workspace: Workspace, branch: str, routing: Routing, sinks: Sinks) -> Delivery:
    """What :func:`deliver` would send now. Nothing is written or sent. Raises what ``read_alerts`` raises."""
    workspace.catalog.ensure(*ROOM)
    now = workspace.clock()
    situation = _Situation.read(workspace, branch, routing)
    with workspace.catalog.reading() as connection:
        decision = situation.decide(connection, now)
    return Delivery(_messages(decision, branch, routing, sinks, now), outbox.waiting(workspace, branch), decision.held)


def deliver(
    workspace: Workspace, branch: str, routing: Routing, sinks: Sinks, sleep: Callable[[float], None]
) -> Delivery:
    """Tells whoever has to hear of a change, and tries again what could not be told before.

    A message is tried ``ATTEMPTS`` times with growing pauses; a sink that failed is left alone for the rest of the
    round, and its messages are kept. Raises what ``read_alerts`` raises.
    """
    workspace.catalog.ensure(*ROOM)
    started = workspace.clock()
    situation = _Situation.read(workspace, branch, routing)
    with workspace.catalog.writing() as connection:
        decision = situation.decide(connection, started)
        write_states(connection, decision.states)
        outbox.put(connection, branch, _messages(decision, branch, routing, sinks, started), started)
    delivered: list[tuple[str, Message]] = []
    failed: set[str] = set()
    while (one := outbox.claim(workspace, branch, LEASE, failed, started)) is not None:
        attempts, error = _send(sinks.named(one.sink), one.message, sleep)
        outbox.settle(workspace, one.message.id, attempts, error)
        if error is None:
            delivered.append((one.sink, one.message))
        else:
            failed.add(one.sink)
    return Delivery(tuple(delivered), outbox.waiting(workspace, branch), decision.held)


@dataclass(frozen=True)
class _Situation:
    """What is open and what depends on what, read before the catalog is locked for writing."""

    branch: str
    routing: Routing
    concerns: tuple[Concern, ...]
    graph: Lineage

    @classmethod
    def read(cls, workspace: Workspace, branch: str, routing: Routing) -> _Situation:
        graph = lineage(published_specs(workspace, branch))
        return cls(branch, routing, read_concerns(workspace, branch, routing), graph)

    def decide(self, connection: Connection, now: datetime) -> Decision:
        states, quiet = read_states(connection, self.branch), held_at(connection, self.branch, now)
        return decide(now, self.branch, self.concerns, states, quiet, self.graph, self.routing)


def _messages(
    decision: Decision, branch: str, routing: Routing, sinks: Sinks, now: datetime
) -> tuple[tuple[str, Message], ...]:
    """One message per group and sink; a sink hears only of the events whose severity and receivers are its own."""
    found = []
    for events in grouped(decision.events, routing):
        heard: dict[str, list[Event]] = {}
        for event in events:
            recipients = (event.concern.channel, event.person)
            for sink in sinks.receivers(recipients, event.concern.severity):
                heard.setdefault(sink, []).append(event)
        found += [(sink, message(own, sink, branch, routing, now)) for sink, own in sorted(heard.items())]
    return tuple(found)


def _send(sink: Sink, one: Message, sleep: Callable[[float], None]) -> tuple[int, str | None]:
    """Attempts made, and why the last failed."""
    retrying = tenacity.Retrying(
        stop=tenacity.stop_after_attempt(ATTEMPTS),
        wait=tenacity.wait_exponential(multiplier=FIRST_PAUSE_SECONDS, max=LONGEST_PAUSE_SECONDS),
        retry=tenacity.retry_if_exception(lambda error: isinstance(error, NotDeliveredError) and error.again),
        sleep=sleep,
        reraise=True,
    )
    try:
        retrying(sink.send, one)
    except NotDeliveredError as error:
        return int(retrying.statistics["attempt_number"]), str(error)
    return int(retrying.statistics["attempt_number"]), None
