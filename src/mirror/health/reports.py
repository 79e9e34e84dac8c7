"""Check reports: every evaluation that ever happened, with the configuration it was made under."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import RowMapping

from mirror.datasets import Workspace
from mirror.datasets.ids import stable_uuid
from mirror.datasets.tables import UtcTime, metadata
from mirror.health.finding import Severity, Status

health_reports = sa.Table(
    "health_reports",
    metadata,
    sa.Column("rid", sa.String(100), primary_key=True),
    sa.Column("check_name", sa.String(255), nullable=False),
    sa.Column("branch", sa.String(255), nullable=False),
    sa.Column("sequence", sa.Integer, nullable=False),
    sa.Column("status", sa.String(20), nullable=False),
    sa.Column("severity", sa.String(10)),
    sa.Column("value", sa.Float),
    # Of the job, build or transaction that was judged.
    sa.Column("event", sa.String(200), nullable=False),
    sa.Column("created_at", UtcTime, nullable=False),
    # What only people read: subject, message, measured, notified, and the configuration as it was then.
    sa.Column("document", sa.Text, nullable=False),
    sa.UniqueConstraint("check_name", "branch", "sequence"),
)

ROOM = (health_reports,)

KEPT_IN_SIGHT = 500
"""Reports of one check that an evaluation looks back on."""


@dataclass(frozen=True)
class CheckReport:
    """One evaluation of one check.

    Attributes:
        severity: of a failing report, after escalation.
        event: what was judged, see :class:`mirror.health.finding.Finding`.
        failures: how many events in a row failed, this one included.
        notice: why somebody is told: ``failed``, ``escalated``, ``recovered``; empty when nobody needs to be.
        notified: who is told.
        snoozed: it would have told somebody, but the check sleeps.
        config: the check as it was written then.
    """

    check: str
    branch: str
    type: str
    subject: str
    paths: tuple[str, ...]
    view: str
    status: Status
    message: str
    created_at: datetime
    severity: Severity | None = None
    value: float | None = None
    event: str = ""
    measured: Mapping[str, Any] = field(default_factory=dict)
    failures: int = 0
    notice: str = ""
    notified: tuple[str, ...] = ()
    snoozed: bool = False
    config: Mapping[str, Any] = field(default_factory=dict)
    sequence: int = 0
    rid: str = ""

    @property
    def alarms(self) -> bool:
        """Whether it is failing and awake."""
        return self.status.is_failing and not self.snoozed

    @property
    def first_step(self) -> str:
        """Who answers for the check, and what its configuration says to do."""
        owner, runbook, notes = (str(self.config.get(key, "")) for key in ("owner", "runbook", "notes"))
        step = f"{runbook}: {notes}" if runbook and notes else runbook or notes
        return f"owner {owner}; {step}" if step else f"owner {owner}"

    def to_json(self) -> dict[str, Any]:
        """A JSON-plain document."""
        return {**asdict(self), "created_at": self.created_at.isoformat()}


_COLUMNS = ("rid", "branch", "sequence", "status", "severity", "value", "event", "created_at")
_IN_DOCUMENT = (
    "type", "subject", "paths", "view", "message", "measured", "failures", "notice", "notified", "snoozed", "config",
)  # fmt: skip


def keep(workspace: Workspace, reports: Sequence[CheckReport]) -> tuple[CheckReport, ...]:
    """Writes reports down in one SQL transaction, in their order; returned with number and RID."""
    if not reports:
        return ()
    workspace.catalog.ensure(*ROOM)
    for _ in range(9):
        try:
            return _keep(workspace, reports)
        except sa.exc.IntegrityError:
            # Another process took a number first, on a database where writers do not queue.
            continue
    return _keep(workspace, reports)


def _keep(workspace: Workspace, reports: Sequence[CheckReport]) -> tuple[CheckReport, ...]:
    table = health_reports
    numbered: list[CheckReport] = []
    with workspace.catalog.writing() as connection:
        wanted = sa.select(table.c.check_name, table.c.branch, sa.func.max(table.c.sequence))
        rows = connection.execute(wanted.group_by(table.c.check_name, table.c.branch))
        last = {(name, branch): number for name, branch, number in rows}
        for report in reports:
            key = (report.check, report.branch)
            last[key] = number = last.get(key, 0) + 1
            rid = f"ri.data-health.main.check-report.{stable_uuid('health-report', *key, number)}"
            numbered.append(replace(report, sequence=number, rid=rid))
        connection.execute(table.insert(), [_row(report) for report in numbered])
    return tuple(numbered)


def history(
    workspace: Workspace, branch: str, check: str | None = None, *, limit: int = KEPT_IN_SIGHT
) -> tuple[CheckReport, ...]:
    """Reports of a check, or of all, newest first."""
    workspace.catalog.ensure(*ROOM)
    table = health_reports
    query = sa.select(table).where(table.c.branch == branch)
    order = [table.c.sequence.desc()]
    if check is not None:
        query = query.where(table.c.check_name == check)
    else:
        order = [table.c.created_at.desc(), *order, table.c.check_name.asc()]
    with workspace.catalog.reading() as connection:
        return tuple(_report(row) for row in connection.execute(query.order_by(*order).limit(limit)).mappings())


def latest(workspace: Workspace, branch: str) -> dict[str, CheckReport]:
    """The newest report of every check that was ever evaluated on a branch, by name."""
    workspace.catalog.ensure(*ROOM)
    table = health_reports
    newest = (
        sa.select(table.c.check_name, sa.func.max(table.c.sequence).label("sequence"))
        .where(table.c.branch == branch)
        .group_by(table.c.check_name)
        .subquery()
    )
    same = (newest.c.check_name == table.c.check_name) & (newest.c.sequence == table.c.sequence)
    query = sa.select(table).join(newest, same).where(table.c.branch == branch)
    with workspace.catalog.reading() as connection:
        rows = connection.execute(query.order_by(table.c.check_name)).mappings()
        return {row["check_name"]: _report(row) for row in rows}


def _row(report: CheckReport) -> dict[str, Any]:
    row = {name: getattr(report, name) for name in _COLUMNS}
    document = {name: getattr(report, name) for name in _IN_DOCUMENT}
    return {**row, "check_name": report.check, "document": json.dumps(document, sort_keys=True, default=str)}


def _report(row: RowMapping) -> CheckReport:
    document = json.loads(row["document"])
    facts = {name: row[name] for name in _COLUMNS}
    return CheckReport(
        **{
            **document,
            **facts,
            "check": row["check_name"],
            "paths": tuple(document["paths"]),
            "notified": tuple(document["notified"]),
            "status": Status(row["status"]),
            "severity": None if row["severity"] is None else Severity(row["severity"]),
        }
    )
