"""Messages that were decided and not yet taken by their sink. They stay until they are."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.datasets import Workspace
from mirror.health.delivery.messages import Message
from mirror.health.delivery.tables import ROOM, alert_outbox

KEPT = timedelta(days=30)
"""How long what was delivered stays in the table."""


@dataclass(frozen=True)
class Waiting:
    """A message and what came of it so far. ``error`` is why the last attempt failed; empty before the first."""

    sink: str
    message: Message
    created_at: datetime
    attempts: int
    error: str

    def to_json(self) -> dict[str, Any]:
        """A JSON-plain document."""
        return {
            "id": self.message.id,
            "sink": self.sink,
            "subject": self.message.subject,
            "severity": self.message.severity,
            "created_at": self.created_at.isoformat(),
            "attempts": self.attempts,
            "error": self.error,
        }


def put(connection: Connection, branch: str, messages: Iterable[tuple[str, Message]], now: datetime) -> None:
    """Adds messages to the transaction that decided them; one that is there already is left alone."""
    table = alert_outbox
    last = connection.scalar(sa.select(sa.func.max(table.c.number))) or 0
    for number, (sink, message) in enumerate(messages, start=last + 1):
        if connection.scalar(sa.select(table.c.id).where(table.c.id == message.id)) is None:
            connection.execute(
                table.insert().values(
                    id=message.id,
                    branch=branch,
                    sink=sink,
                    number=number,
                    document=json.dumps(message.to_json(), sort_keys=True),
                    created_at=now,
                    attempts=0,
                )
            )
    connection.execute(table.delete().where(table.c.delivered_at < now - KEPT))


def waiting(workspace: Workspace, branch: str) -> tuple[Waiting, ...]:
    """What is not delivered yet, oldest first."""
    workspace.catalog.ensure(*ROOM)
    table = alert_outbox
    query = sa.select(table).where(table.c.branch == branch, table.c.delivered_at.is_(None)).order_by(table.c.number)
    with workspace.catalog.reading() as connection:
        return tuple(_waiting(row) for row in connection.execute(query).mappings())


def claim(
    workspace: Workspace, branch: str, lease: timedelta, leave: Iterable[str], started: datetime
) -> Waiting | None:
    """The oldest message that no other process is sending, marked as ours for ``lease``; ``None`` when there is none.

    Args:
        leave: sinks that failed in this run: their messages wait for the next.
        started: of this run; a message that was put in later is the next run's.
    """
    table = alert_outbox
    now = workspace.clock()
    free = sa.or_(table.c.claimed_until.is_(None), table.c.claimed_until <= now)
    query = sa.select(table).where(
        table.c.branch == branch,
        table.c.delivered_at.is_(None),
        table.c.created_at <= started,
        table.c.sink.not_in(list(leave)),
        free,
    )
    with workspace.catalog.writing() as connection:
        row = (
            connection.execute(query.order_by(table.c.number).limit(1).with_for_update(skip_locked=True))
            .mappings()
            .first()
        )
        if row is None:
            return None
        connection.execute(table.update().where(table.c.id == row["id"]).values(claimed_until=now + lease))
        return _waiting(row)


def settle(workspace: Workspace, name: str, attempts: int, error: str | None) -> None:
    """Notes how sending ended: ``error`` is ``None`` when the sink took the message."""
    table = alert_outbox
    delivered = workspace.clock() if error is None else None
    with workspace.catalog.writing() as connection:
        connection.execute(
            table.update()
            .where(table.c.id == name)
            .values(attempts=table.c.attempts + attempts, error=error, claimed_until=None, delivered_at=delivered)
        )


def _waiting(row: Any) -> Waiting:
    return Waiting(
        sink=row["sink"],
        message=Message.from_json(json.loads(row["document"])),
        created_at=row["created_at"],
        attempts=row["attempts"],
        error=row["error"] or "",
    )
