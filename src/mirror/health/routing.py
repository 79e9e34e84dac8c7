"""Where an alert goes: its route, owner, rotation, channel, runbook and escalation policy.

Quality alerts and equipment alerts have routes, policies, rotations and channels of their own, and nothing here lets
one kind reach what belongs to the other.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import quote

from mirror.health.deadlines import Calendar, deadline
from mirror.health.rotations import Rotation

QUALITY, EQUIPMENT = "quality", "equipment"
KINDS = (QUALITY, EQUIPMENT)
SEVERITIES = ("CRITICAL", "HIGH", "MEDIUM", "LOW")
SECOND = "second person of the rotation"
OTHER_RUNBOOKS = "other"
"""Stands for every runbook whose page is not named."""


def rank(severity: str | None) -> int:
    """How severe, LOW being 1; 0 for none. A word that routing does not know counts as the most severe."""
    if severity is None:
        return 0
    return len(SEVERITIES) - SEVERITIES.index(severity) if severity in SEVERITIES else len(SEVERITIES)


@dataclass(frozen=True)
class Step:
    """Who is told when nobody has acknowledged ``after`` that time."""

    after: str
    to: str


@dataclass(frozen=True)
class Policy:
    """How long somebody has to acknowledge, and who is next. ``pages`` also calls whoever is on call."""

    name: str
    kind: str
    acknowledge: str
    then: tuple[Step, ...] = ()
    pages: bool = False

    @property
    def words(self) -> str:
        """Its steps in one line."""
        return ", then ".join(f"{step.to} after {step.after}" for step in self.then) or "none"


@dataclass(frozen=True)
class Route:
    """What an alert gets that it does not say itself. ``match``: fleet, site, family and dataset, as far as named."""

    name: str
    kind: str
    match: Mapping[str, str]
    owner: str
    rotation: str
    channel: str
    runbook: str
    escalation: Mapping[str, str]
    step: Mapping[str, str]

    def takes(self, facts: Mapping[str, str]) -> bool:
        """Whether an alert with these facts goes this way."""
        return all(facts.get(key) == value for key, value in self.match.items())


@dataclass(frozen=True)
class Inhibition:
    """An alert of ``family`` silences ``silences`` on what is made from its dataset."""

    family: str
    silences: frozenset[str]


@dataclass(frozen=True)
class Flapping:
    """``changes`` openings and closings ``within`` a time flap; ``calm`` without any ends it."""

    changes: int
    within: timedelta
    calm: timedelta


@dataclass(frozen=True)
class Routing:
    """All of it. ``policies`` are ordered from the gentlest to the one that wakes most people."""

    policies: Mapping[str, Policy]
    rotations: Mapping[str, Rotation]
    channels: Mapping[str, str]
    routes: tuple[Route, ...]
    runbooks: Mapping[str, str]
    calendar: Calendar
    grouping: Mapping[str, tuple[str, ...]]
    inhibition: tuple[Inhibition, ...]
    flapping: Flapping
    files: tuple[str, ...] = field(default=())

    def route(self, kind: str, facts: Mapping[str, str]) -> Route:
        """The first route of the kind that takes an alert with these facts; the last of each kind takes every one."""
        return next(one for one in self.routes if one.kind == kind and one.takes(facts))

    def page(self, runbook: str) -> str:
        """Where a runbook is written down: a path below the repository, or an address."""
        named = self.runbooks.get(runbook)
        return named or self.runbooks[OTHER_RUNBOOKS].replace("{id}", quote(runbook, safe=""))

    def policy(self, route: Route, severity: str, own: str = "") -> Policy:
        """The route's policy for the severity, or the alert's own when that is gentler.

        A severity wakes nobody beyond what it stands for, nor does a figure beyond what its owner declared.
        """
        names = [route.escalation.get(severity, route.escalation[SEVERITIES[0]])]
        if own in self.policies and self.policies[own].kind == route.kind:
            names.append(own)
        order = list(self.policies)
        return self.policies[min(names, key=order.index)]

    def channel(self, kind: str, wanted: str, route: Route) -> tuple[str, str]:
        """The channel, and why it is another than ``wanted``: one that is unknown or carries the other kind."""
        if not wanted or self.channels.get(wanted) == kind:
            return wanted or route.channel, ""
        carries = self.channels.get(wanted)
        why = f"carries {carries} alerts" if carries else "is not known to routing"
        return route.channel, f"{wanted} {why}, so this went to {route.channel}"

    def person(self, rotation: str, kind: str, now: datetime) -> str:
        """Who is on call in a rotation; the rotation's name where no schedule is known for that kind."""
        found = self.rotations.get(rotation)
        return found.on_call(now) if found is not None and found.kind == kind else rotation

    def target(self, step: Step, rotation: str, kind: str, now: datetime) -> str:
        """The person or desk that an escalation step names."""
        if step.to != SECOND:
            return step.to
        found = self.rotations.get(rotation)
        return found.second(now) if found is not None and found.kind == kind else f"second person of {rotation}"

    def acknowledge_by(self, policy: Policy, told: datetime) -> datetime:
        """Until when somebody has to say that they saw it."""
        return deadline(policy.acknowledge, told, self.calendar)

    def due(self, policy: Policy, told: datetime, done: int, now: datetime) -> Iterable[Step]:
        """Steps after the first ``done`` whose time has come."""
        return [step for step in policy.then[done:] if deadline(step.after, told, self.calendar) <= now]
