"""Events that go out together become one message: a subject, lines for people, and the same as data."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from mirror.datasets.ids import stable_uuid
from mirror.health.delivery.decide import ESCALATED, FLAPPING, RAISED, RESOLVED, WORSE, Event
from mirror.health.routing import Routing, rank

SHOWN = 20
"""Alerts that a message spells out; the rest is counted."""

LONGEST_LINE = 500

_HEADLINES = {
    RAISED: "{severity}",
    WORSE: "{severity}, worse than before",
    ESCALATED: "{severity}, not acknowledged",
    FLAPPING: "{severity}, opens and closes again and again",
    RESOLVED: "over",
}


@dataclass(frozen=True)
class Message:
    """One message to one sink. ``id`` is the same when it is sent again, so that a receiver can drop the copy.

    ``recipients`` are the channel and the persons it is for; ``alerts`` hold facts only, no secrets.
    """

    id: str
    kind: str
    severity: str
    channel: str
    recipients: tuple[str, ...]
    subject: str
    lines: tuple[str, ...]
    alerts: tuple[dict[str, Any], ...]

    @property
    def text(self) -> str:
        """Subject and lines."""
        return "\n".join((self.subject, *self.lines))

    def to_json(self) -> dict[str, Any]:
        """A JSON-plain document."""
        return asdict(self)

    @classmethod
    def from_json(cls, document: dict[str, Any]) -> Message:
        """The inverse of :meth:`to_json`."""
        lists = {name: tuple(document[name]) for name in ("recipients", "lines", "alerts")}
        return cls(**{**document, **lists})


def grouped(events: Iterable[Event], routing: Routing) -> list[list[Event]]:
    """Events of one kind and channel that agree on what their kind is grouped by, most urgent group first."""
    groups: dict[tuple[str, ...], list[Event]] = {}
    for event in events:
        facts = event.concern.facts()
        key = (
            event.concern.kind,
            event.concern.channel,
            *(facts[name] for name in routing.grouping[event.concern.kind]),
        )
        groups.setdefault(key, []).append(event)
    return sorted(groups.values(), key=lambda group: -max(rank(event.concern.severity) for event in group))


def message(events: Sequence[Event], sink: str, branch: str, routing: Routing, now: datetime) -> Message:
    """The message about one group of events to one sink."""
    events = sorted(events, key=lambda one: (-rank(one.concern.severity), one.concern.title, one.concern.id))
    first = events[0].concern
    severity = max((event.concern.severity for event in events), key=rank)
    key = sorted(f"{one.concern.id} {one.change} {one.concern.severity} {one.episode}" for one in events)
    lines = [line for event in events[:SHOWN] for line in _lines(event, routing, now)]
    if len(events) > SHOWN:
        lines.append(f"and {len(events) - SHOWN} more: mirror alerts list")
    more = f" and {len(events) - 1} more" if len(events) > 1 else ""
    about = "equipment" if first.kind == "equipment" else "data quality"
    headline = _HEADLINES[events[0].change].format(severity=first.severity)
    return Message(
        id=str(stable_uuid("message", branch, sink, *key)),
        kind=first.kind,
        severity=severity,
        channel=first.channel,
        recipients=(first.channel, *sorted({event.person for event in events if event.person})),
        subject=_one_line(f"[{about}] {headline}: {first.title}{more}"),
        lines=tuple(_one_line(line) for line in lines),
        alerts=tuple(_facts(event, routing) for event in events),
    )


def _facts(event: Event, routing: Routing) -> dict[str, Any]:
    page = routing.page(event.concern.runbook)
    return {**event.concern.to_json(), "runbook_page": page, "change": event.change, "person": event.person}


def _lines(event: Event, routing: Routing, now: datetime) -> list[str]:
    alert = event.concern
    headline = f"{_HEADLINES[event.change].format(severity=alert.severity)}: {alert.title} ({alert.id})"
    if event.change == RESOLVED:
        return [headline]
    by = f"by {routing.acknowledge_by(alert.policy, now):%Y-%m-%d %H:%M} UTC" if event.change != ESCALATED else "now"
    return [
        headline,
        f"  {alert.subject}: {alert.observed}",
        f"  why: {alert.why}",
        f"  owner {alert.owner}; on call {routing.person(alert.rotation, alert.kind, now)}"
        + (f"; calling {event.person}" if event.person else ""),
        f"  do: {alert.runbook}: {alert.step}",
        f"  runbook: {routing.page(alert.runbook)}",
        f"  acknowledge {by}: mirror alerts ack {alert.id} --by NAME; else {alert.policy.words}",
        *([f"  note: {alert.note}"] if alert.note else []),
    ]


def _one_line(text: str) -> str:
    """Bounded, without line breaks and control characters: names come from data; headers and terminals obey some."""
    return "".join(letter if letter.isprintable() else " " for letter in text[:LONGEST_LINE]).rstrip()
