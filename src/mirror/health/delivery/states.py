"""What was told of each alert, and who has said that they saw it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.datasets import Workspace
from mirror.health.delivery import tables
from mirror.health.delivery.concerns import Concern
from mirror.health.routing import rank

NOBODY = "nobody was told yet"


@dataclass(frozen=True)
class AlertState:
    """One alert through its openings and closings.

    Attributes:
        severity: when last seen.
        told: the highest severity anybody was told of since it opened; ``None`` before that. While it flaps it is kept
            over closings, so that only something worse speaks.
        told_at: when that severity was told: acknowledgement and escalation count from here.
        steps: escalation steps taken since.
        acknowledged_by, acknowledged_at, note: empty until somebody has.
        changes: recent openings and closings, oldest first.
        damped: it flaps, and waits for calm.
        alert: the alert as it was last seen, for the message that it is over.
    """

    id: str
    branch: str
    kind: str
    is_open: bool = False
    severity: str = "LOW"
    told: str | None = None
    told_at: datetime | None = None
    steps: int = 0
    acknowledged_by: str = ""
    acknowledged_at: datetime | None = None
    note: str = ""
    changes: tuple[datetime, ...] = ()
    damped: bool = False
    alert: dict[str, Any] | None = None

    @property
    def unanswered(self) -> bool:
        """Whether somebody was told and nobody has acknowledged."""
        return self.told is not None and not self.acknowledged_by

    @property
    def words(self) -> str:
        """What became of it since it opened, in a line."""
        if self.told is None or self.told_at is None:
            return NOBODY
        told = f"told {self.told_at:%Y-%m-%d %H:%M} UTC"
        if self.acknowledged_by:
            since = f" since {self.acknowledged_at:%Y-%m-%d %H:%M} UTC" if self.acknowledged_at else ""
            return f"{told}; {self.acknowledged_by} works on it{since}"
        return f"{told}; not acknowledged" + (f", escalated {self.steps} times" if self.steps else "")

    def saw(self, concern: Concern) -> AlertState:
        """With the alert as it is now."""
        return replace(self, severity=concern.severity, alert=concern.to_json())

    def telling(self, severity: str, now: datetime) -> AlertState:
        """After somebody was told; something worse than before starts acknowledgement and escalation anew."""
        if rank(severity) <= rank(self.told):
            return self
        return replace(self, told=severity, told_at=now, steps=0, acknowledged_by="", acknowledged_at=None, note="")

    def to_json(self) -> dict[str, Any]:
        """A JSON-plain document."""
        return {
            "id": self.id,
            "kind": self.kind,
            "is_open": self.is_open,
            "severity": self.severity,
            "told": self.told,
            "told_at": _iso(self.told_at),
            "steps": self.steps,
            "acknowledged_by": self.acknowledged_by,
            "acknowledged_at": _iso(self.acknowledged_at),
            "note": self.note,
            "changes": [at.isoformat() for at in self.changes],
            "damped": self.damped,
            "alert": self.alert,
        }


def alert_states(workspace: Workspace, branch: str) -> dict[str, AlertState]:
    """Every alert of a branch that delivery has seen, by id."""
    workspace.catalog.ensure(*tables.ROOM)
    with workspace.catalog.reading() as connection:
        return read_states(connection, branch)


def read_states(connection: Connection, branch: str) -> dict[str, AlertState]:
    """As :func:`alert_states`, inside a transaction."""
    table = tables.alert_states
    rows = connection.execute(sa.select(table).where(table.c.branch == branch).order_by(table.c.id)).mappings()
    return {row["id"]: _state(json.loads(row["document"]), branch) for row in rows}


def write_states(connection: Connection, states: Iterable[AlertState]) -> None:
    """Replaces what is known of these alerts."""
    table = tables.alert_states
    rows = [
        {
            "id": state.id,
            "branch": state.branch,
            "kind": state.kind,
            "is_open": state.is_open,
            "document": json.dumps(state.to_json(), sort_keys=True),
        }
        for state in states
    ]
    for row in rows:
        connection.execute(table.delete().where(table.c.id == row["id"]))
    if rows:
        connection.execute(table.insert(), rows)


def _state(document: dict[str, Any], branch: str) -> AlertState:
    return AlertState(
        **{
            **document,
            "branch": branch,
            "told_at": _moment(document["told_at"]),
            "acknowledged_at": _moment(document["acknowledged_at"]),
            "changes": tuple(datetime.fromisoformat(at) for at in document["changes"]),
        }
    )


def _iso(value: datetime | None) -> str | None:
    return None if value is None else value.isoformat()


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
