"""Maintenance silences: what nobody is told of until a moment, with who said so and why."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection, RowMapping

from mirror.datasets import Workspace
from mirror.datasets.ids import stable_uuid
from mirror.health.delivery.concerns import ID_LENGTH, Concern
from mirror.health.delivery.tables import ROOM, alert_silences
from mirror.health.errors import SilenceError, UnknownAlertError

LONGEST = timedelta(days=30)
"""Whoever wants more wants a threshold changed."""

Matcher = Mapping[str, str]
"""Fact (fleet, dataset, metric, family, site, device, severity, id) -> a value, or a pattern with ``*`` and ``?``."""


@dataclass(frozen=True)
class Silence:
    """Holds alerts of which every fact of ``matcher`` fits, from ``since`` until before ``until``."""

    id: str
    branch: str
    matcher: Matcher
    since: datetime
    until: datetime
    reason: str
    by: str
    ended_at: datetime | None = None

    def holds(self, concern: Concern, now: datetime) -> bool:
        """Whether it keeps an alert back at ``now``."""
        if not self.since <= now < self.until or (self.ended_at is not None and self.ended_at <= now):
            return False
        facts = {**concern.facts(), "id": concern.id}
        return all(fnmatchcase(facts.get(key, ""), wanted) for key, wanted in self.matcher.items())

    def to_json(self) -> dict[str, Any]:
        """A JSON-plain document."""
        times = {"since": self.since, "until": self.until, "ended_at": self.ended_at}
        return {
            "id": self.id,
            "matcher": dict(self.matcher),
            "reason": self.reason,
            "by": self.by,
            **{name: None if at is None else at.isoformat() for name, at in times.items()},
        }


def keep_silence(workspace: Workspace, branch: str, matcher: Matcher, until: datetime, reason: str, by: str) -> Silence:
    """Writes a silence down. Raises SilenceError: for everything, without end, over already, or without a reason."""
    now = workspace.clock()
    if not matcher:
        raise SilenceError("a silence without a filter would hold every alert; name a device, site, dataset or metric")
    if until <= now:
        raise SilenceError(f"a silence must end in the future, not at {until:%Y-%m-%d %H:%M} UTC")
    if until - now > LONGEST:
        raise SilenceError(f"a silence lasts at most {LONGEST.days} days; for longer, change the threshold instead")
    if not reason.strip() or not by.strip():
        raise SilenceError("say with --reason why it is quiet and with --by who answers for it")
    name = stable_uuid("silence", branch, json.dumps(dict(matcher), sort_keys=True), now, by).hex[:ID_LENGTH]
    made = Silence(name, branch, dict(matcher), now, until, reason.strip(), by.strip())
    workspace.catalog.ensure(*ROOM)
    with workspace.catalog.writing() as connection:
        connection.execute(
            alert_silences.insert().values(
                id=made.id,
                branch=branch,
                matcher=json.dumps(dict(matcher), sort_keys=True),
                since=made.since,
                until=made.until,
                reason=made.reason,
                by=made.by,
            )
        )
    return made


def end_silence(workspace: Workspace, branch: str, name: str) -> Silence:
    """Ends a silence now; its record stays. Raises UnknownAlertError."""
    now = workspace.clock()
    known = {one.id: one for one in silences(workspace, branch)}
    fitting = [one for one in known.values() if one.id.startswith(name)]
    if len(fitting) != 1:
        raise UnknownAlertError("silence", name, tuple(known))
    with workspace.catalog.writing() as connection:
        connection.execute(alert_silences.update().where(alert_silences.c.id == fitting[0].id).values(ended_at=now))
    return fitting[0]


def silences(workspace: Workspace, branch: str) -> tuple[Silence, ...]:
    """The silences that hold now."""
    workspace.catalog.ensure(*ROOM)
    with workspace.catalog.reading() as connection:
        return held_at(connection, branch, workspace.clock())


def held_at(connection: Connection, branch: str, now: datetime) -> tuple[Silence, ...]:
    """The silences that hold at a moment, by when they end."""
    table = alert_silences
    query = (
        sa.select(table)
        .where(
            table.c.branch == branch, table.c.until > now, sa.or_(table.c.ended_at.is_(None), table.c.ended_at > now)
        )
        .order_by(table.c.until, table.c.id)
    )
    return tuple(_silence(row) for row in connection.execute(query).mappings())


def _silence(row: RowMapping) -> Silence:
    return Silence(**{**row, "matcher": json.loads(row["matcher"])})
