"""Who is told what now: what is open against what was told, without clock, catalog or network.

Told are: an alert that opens; one that becomes more severe than anybody was told, acknowledged or not; each
escalation step while nobody acknowledges; the end of what was told. Held back, with the reason: what a silence covers,
what follows from something else, and what flaps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from mirror.health.delivery.concerns import Concern
from mirror.health.delivery.inhibition import Lineage, consequences
from mirror.health.delivery.silences import Silence
from mirror.health.delivery.states import AlertState
from mirror.health.routing import Routing, rank

RAISED, WORSE, ESCALATED, FLAPPING, RESOLVED = "raised", "worse", "escalated", "flapping", "resolved"


@dataclass(frozen=True)
class Event:
    """Somebody is told of a change.

    Attributes:
        concern: the alert; of one that is over, as it was last seen.
        person: who is called besides the channel; empty when nobody is.
        episode: when this opening began, which tells this message from the same one of another day.
    """

    change: str
    concern: Concern
    person: str = ""
    episode: str = ""


@dataclass(frozen=True)
class Held:
    """An alert that is open and of which nobody is told, and why."""

    concern: Concern
    why: str


@dataclass(frozen=True)
class Decision:
    """Everything that follows, in the order of the alerts; ``states`` are those that changed or may have."""

    events: tuple[Event, ...]
    held: tuple[Held, ...]
    states: tuple[AlertState, ...]


def decide(
    now: datetime,
    branch: str,
    concerns: Sequence[Concern],
    states: Mapping[str, AlertState],
    silences: Sequence[Silence],
    graph: Lineage,
    routing: Routing,
) -> Decision:
    """The decision at ``now``. Equal arguments give equal decisions."""
    causes = consequences(concerns, graph, routing.inhibition)
    events: list[Event] = []
    held: list[Held] = []
    after: list[AlertState] = []
    for concern in concerns:
        state = _opened(states.get(concern.id, AlertState(concern.id, branch, concern.kind)), now, routing)
        state = _acknowledged(state.saw(concern), concern, now)
        why = _held_back(concern, state, now, silences, causes)
        if why:
            held.append(Held(concern, why))
        else:
            told, state = _tell(concern, state, now, routing)
            events += told
            if not told and state.damped and state.told is None:
                held.append(Held(concern, "flaps; told when it is calm"))
        after.append(state)
    present = {concern.id for concern in concerns}
    for state in states.values():
        if state.id not in present and (state.is_open or state.damped):
            ended, state = _closed(state, now, routing)
            events += ended
            after.append(state)
    return Decision(tuple(events), tuple(held), tuple(after))


def _opened(state: AlertState, now: datetime, routing: Routing) -> AlertState:
    """With this opening noted; a new one forgets what was told before, unless it flaps."""
    state = _calmed(state, now, routing)
    if state.is_open:
        return state
    state = replace(state, is_open=True, changes=_recent((*state.changes, now), now, routing))
    if state.damped:
        return state
    return replace(state, told=None, told_at=None, steps=0, acknowledged_by="", acknowledged_at=None, note="")


def _acknowledged(state: AlertState, concern: Concern, now: datetime) -> AlertState:
    if concern.acknowledged and state.unanswered and rank(concern.severity) <= rank(state.told):
        return replace(state, acknowledged_by="somebody (its row says so)", acknowledged_at=now)
    return state


def _held_back(
    concern: Concern, state: AlertState, now: datetime, silences: Sequence[Silence], causes: Mapping[str, Concern]
) -> str:
    for silence in silences:
        if silence.holds(concern, now):
            return f"silenced until {silence.until:%Y-%m-%d %H:%M} UTC by {silence.by}: {silence.reason}"
    cause = causes.get(concern.id)
    if cause is not None and rank(concern.severity) > rank(state.told):
        return f"follows from {cause.title}"
    return ""


def _tell(concern: Concern, state: AlertState, now: datetime, routing: Routing) -> tuple[list[Event], AlertState]:
    episode = state.changes[-1].isoformat() if state.changes else ""
    on_call = routing.person(concern.rotation, concern.kind, now) if concern.policy.pages else ""
    if rank(concern.severity) > rank(state.told):
        flaps = not state.damped and len(state.changes) >= routing.flapping.changes
        change = FLAPPING if flaps else RAISED if state.told is None else WORSE
        state = replace(state.telling(concern.severity, now), damped=state.damped or flaps)
        return [Event(change, concern, on_call, episode)], state
    if state.acknowledged_by or state.told_at is None:
        return [], state
    due = list(routing.due(concern.policy, state.told_at, state.steps, now))
    events = [
        Event(ESCALATED, concern, routing.target(step, concern.rotation, concern.kind, now), f"{episode} {number}")
        for number, step in enumerate(due, start=state.steps + 1)
    ]
    return events, replace(state, steps=state.steps + len(due))


def _closed(state: AlertState, now: datetime, routing: Routing) -> tuple[list[Event], AlertState]:
    if state.is_open:
        changes = _recent((*state.changes, now), now, routing)
        state = replace(state, is_open=False, changes=changes)
    state = _calmed(state, now, routing)
    if state.damped or state.told is None or state.alert is None:
        return [], state
    alert = dict(state.alert)
    policy = routing.policies.get(str(alert.pop("policy")), next(iter(routing.policies.values())))
    since = alert.pop("since")
    seen = Concern(**alert, policy=policy, since=None if since is None else datetime.fromisoformat(since))
    ended = Event(RESOLVED, seen, episode=now.isoformat())
    return [ended], replace(state, told=None, told_at=None, steps=0)


def _calmed(state: AlertState, now: datetime, routing: Routing) -> AlertState:
    if state.damped and state.changes and now - state.changes[-1] >= routing.flapping.calm:
        return replace(state, damped=False)
    return state


def _recent(changes: Sequence[datetime], now: datetime, routing: Routing) -> tuple[datetime, ...]:
    """The last changes that count; the newest always does."""
    return tuple(at for at in changes if now - at <= routing.flapping.within)[-routing.flapping.changes :] or (now,)
