"""Statements over submissions, verdicts, releases and the audit trail, each inside the caller's SQL transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.models import tables as t
from mirror.models.records import AuditEntry, Outcome, Release, Submission, Trial, Verdict


def submissions(connection: Connection, model_rid: str) -> tuple[Submission, ...]:
    """Submissions of a model, oldest first."""
    query = sa.select(t.submissions).where(t.submissions.c.model_rid == model_rid)
    order = sa.select(t.versions.c.sequence).where(t.versions.c.rid == t.submissions.c.version_rid).scalar_subquery()
    rows = connection.execute(query.order_by(order)).mappings()
    return tuple(Submission(**row) for row in rows)


def add_submission(connection: Connection, submission: Submission) -> None:
    """Writes a submission down."""
    connection.execute(t.submissions.insert().values(**vars(submission)))


def archive(connection: Connection, rid: str) -> None:
    """Marks a submission as archived."""
    connection.execute(t.submissions.update().where(t.submissions.c.rid == rid).values(archived=True))


def verdicts(connection: Connection, submission_rid: str) -> tuple[Verdict, ...]:
    """The newest verdict of every check, in the order of the objective."""
    of_submission = t.verdicts.c.submission_rid == submission_rid
    newest = sa.select(sa.func.max(t.verdicts.c.round)).where(of_submission).scalar_subquery()
    query = sa.select(t.verdicts).where(of_submission, t.verdicts.c.round == newest).order_by(t.verdicts.c.position)
    rows = connection.execute(query).mappings()
    return tuple(
        Verdict(row["name"], Outcome(row["outcome"]), row["detail"], tuple(row["blocks"]), row["evaluated_at"])
        for row in rows
    )


def add_verdicts(connection: Connection, submission_rid: str, found: tuple[Verdict, ...], now: datetime) -> None:
    """Writes one round of verdicts down; earlier rounds stay as history."""
    last = connection.scalar(
        sa.select(sa.func.max(t.verdicts.c.round)).where(t.verdicts.c.submission_rid == submission_rid)
    )
    for position, verdict in enumerate(found):
        connection.execute(
            t.verdicts.insert().values(
                submission_rid=submission_rid,
                name=verdict.name,
                round=(last or 0) + 1,
                position=position,
                outcome=verdict.outcome.value,
                detail=verdict.detail,
                blocks=list(verdict.blocks),
                evaluated_at=now,
            )
        )


def releases(connection: Connection, model_rid: str, environment: str | None = None) -> tuple[Release, ...]:
    """Releases of a model (to one environment), oldest first."""
    query = sa.select(t.releases).where(t.releases.c.model_rid == model_rid)
    if environment is not None:
        query = query.where(t.releases.c.environment == environment)
    rows = connection.execute(query.order_by(t.releases.c.released_at, t.releases.c.number)).mappings()
    return tuple(Release(**{**row, "approved_by": tuple(row["approved_by"])}) for row in rows)


def add_release(connection: Connection, release: Release) -> None:
    """Writes a release down; it is in force from then on."""
    connection.execute(t.releases.insert().values(**{**vars(release), "approved_by": list(release.approved_by)}))


def trials(connection: Connection, model_rid: str) -> tuple[Trial, ...]:
    """Trials of a model, oldest first."""
    query = sa.select(t.trials).where(t.trials.c.model_rid == model_rid).order_by(t.trials.c.number)
    rows = connection.execute(query).mappings()
    return tuple(Trial(**{**row, "approved_by": tuple(row["approved_by"])}) for row in rows)


def add_trial(connection: Connection, trial: Trial) -> None:
    """Writes a trial down; it holds from then on."""
    connection.execute(t.trials.insert().values(**{**vars(trial), "approved_by": list(trial.approved_by)}))


def record(
    connection: Connection,
    at: datetime,
    actor: str,
    action: str,
    outcome: str,
    model_rid: str,
    version_rid: str | None,
    detail: Mapping[str, Any],
) -> None:
    """Adds an entry to the audit trail."""
    values = {"model_rid": model_rid, "version_rid": version_rid, "detail": dict(detail)}
    connection.execute(t.audit.insert().values(at=at, actor=actor, action=action, outcome=outcome, **values))


def trail(connection: Connection, model_rid: str) -> tuple[AuditEntry, ...]:
    """The audit trail of a model, oldest first."""
    query = sa.select(t.audit).where(t.audit.c.model_rid == model_rid).order_by(t.audit.c.sequence)
    return tuple(AuditEntry(**row) for row in connection.execute(query).mappings())
