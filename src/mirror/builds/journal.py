"""What builds write down: builds, jobs, provenance and check results."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.builds import tables as t
from mirror.builds.report import CheckEntry, JobStatus
from mirror.builds.specs import JobSpec
from mirror.builds.state import RunRecord
from mirror.datasets import Dataset, Workspace
from mirror.datasets.catalog import batches
from mirror.datasets.ids import stable_uuid
from mirror.datasets.tables import UtcTime

_NEVER = datetime.min.replace(tzinfo=UTC)


def start_build(workspace: Workspace, branch: str, fallbacks: Sequence[str]) -> str:
    """A new build; one that a killed process left running on the branch is marked as interrupted. Returns its RID."""
    for _ in range(9):
        try:
            return _start_build(workspace, branch, fallbacks)
        except sa.exc.IntegrityError:
            # A build of another branch, in another process, took the number first.
            continue
    return _start_build(workspace, branch, fallbacks)


def _start_build(workspace: Workspace, branch: str, fallbacks: Sequence[str]) -> str:
    now = workspace.clock()
    with workspace.catalog.writing() as connection:
        running = (t.builds.c.branch == branch) & (t.builds.c.status == "running")
        stopped = sa.select(t.builds.c.rid).where(running)
        open_jobs = t.jobs.c.build_rid.in_(stopped) & (t.jobs.c.status == "running")
        connection.execute(t.jobs.update().where(open_jobs).values(status="interrupted", finished_at=now))
        connection.execute(t.builds.update().where(running).values(status="interrupted", finished_at=now))
        sequence = (connection.scalar(sa.select(sa.func.max(t.builds.c.sequence))) or 0) + 1
        rid = f"ri.foundry.main.build.{stable_uuid('build', sequence)}"
        values = {"rid": rid, "sequence": sequence, "branch": branch, "fallbacks": json.dumps(list(fallbacks))}
        connection.execute(t.builds.insert().values(**values, status="running", started_at=now))
    return rid


def finish_build(workspace: Workspace, rid: str, status: str) -> None:
    """Closes a build."""
    with workspace.catalog.writing() as connection:
        values = {"status": status, "finished_at": workspace.clock()}
        connection.execute(t.builds.update().where(t.builds.c.rid == rid).values(**values))


def job_rid(build_rid: str, reference: str) -> str:
    """The RID of a job in a build."""
    return f"ri.foundry.main.job.{stable_uuid('job', build_rid, reference)}"


def start_job(workspace: Workspace, build_rid: str, spec: JobSpec, branch: str, reason: str, now: datetime) -> str:
    """Writes down that a job runs. Returns its RID."""
    rid = job_rid(build_rid, spec.reference)
    values = {"rid": rid, "build_rid": build_rid, "reference": spec.reference, "branch": branch, "reason": reason}
    with workspace.catalog.writing() as connection:
        connection.execute(t.jobs.insert().values(**values, status="running", started_at=now))
    return rid


def note_unstarted(
    workspace: Workspace, build_rid: str, spec: JobSpec, branch: str, status: JobStatus, why: str
) -> None:
    """Writes down that a planned job of a build never ran; nothing where it did after all."""
    rid, now = job_rid(build_rid, spec.reference), workspace.clock()
    values = {"rid": rid, "build_rid": build_rid, "reference": spec.reference, "branch": branch, "reason": why}
    with workspace.catalog.writing() as connection:
        if connection.scalar(sa.select(t.jobs.c.rid).where(t.jobs.c.rid == rid)) is None:
            connection.execute(t.jobs.insert().values(**values, status=status.value, started_at=now, finished_at=now))


def finish_job(
    connection: Connection, rid: str, status: JobStatus, now: datetime, *, error: str | None = None, **values: Any
) -> None:
    """Closes a job inside the caller's SQL transaction."""
    connection.execute(
        t.jobs.update().where(t.jobs.c.rid == rid).values(status=status.value, finished_at=now, error=error, **values)
    )


def keep_run(connection: Connection, record: RunRecord, now: datetime) -> None:
    """Writes a committed run's provenance down, for the job and for each transaction it committed."""
    document = json.dumps(record.to_json(), sort_keys=True)
    # No dataset shows such a run: the next one has to find it by its job.
    publishes = bool(record.published) or all(entry.transaction is None for entry in record.outputs.values())
    finish_job(connection, record.job, JobStatus.SUCCEEDED, now, provenance=document, publishes=publishes)
    rows = [
        {"transaction_rid": entry.transaction, "job_rid": record.job}
        for entry in record.outputs.values()
        if entry.transaction is not None
    ]
    if rows:
        connection.execute(t.provenance.insert(), rows)


def keep_checks(
    connection: Connection,
    job: str,
    branch: str,
    entries: Sequence[CheckEntry],
    datasets: Mapping[str, Dataset],
    transactions: Mapping[str, str | None],
    now: datetime,
) -> None:
    """Writes verdicts down. ``transactions`` maps a dataset path to what was judged and still exists."""
    rows = [
        {
            "job_rid": job,
            "parameter": entry.parameter,
            "name": entry.name,
            "dataset_rid": datasets[entry.dataset].rid,
            "branch": branch,
            "transaction_rid": transactions.get(entry.dataset),
            "side": entry.side,
            "on_error": entry.on_error,
            "outcome": entry.outcome,
            "document": json.dumps(entry.document, default=str),
            "evaluated_at": now,
        }
        for entry in entries
    ]
    if rows:
        connection.execute(t.check_results.insert(), rows)


def verdict_counts(workspace: Workspace, transactions: Sequence[str]) -> dict[str, tuple[int, int]]:
    """Checks passed and not passed when each of these transactions was judged; those without checks are left out."""
    workspace.catalog.ensure(*t.ROOM)
    found: dict[str, tuple[int, int]] = {}
    column, outcome = t.check_results.c.transaction_rid, t.check_results.c.outcome
    passed = sa.func.sum(sa.case((outcome == "PASS", 1), else_=0))
    with workspace.catalog.reading() as connection:
        for wanted in batches(transactions):
            query = sa.select(column, passed, sa.func.count()).group_by(column)
            for rid, good, every in connection.execute(query.where(column.in_(wanted))):
                found[rid] = (int(good), int(every) - int(good))
    return found


def check_history(
    workspace: Workspace, dataset: str | None = None, branch: str | None = None
) -> tuple[dict[str, Any], ...]:
    """Recorded verdicts, newest first: dataset, branch, transaction, side, name, on_error, outcome, evaluated_at,
    ``result`` (``mirror.checks.CheckResult.to_json()``), and ``superseded``: its transform has judged that side of its
    parameters again since, so that what is not repeated there was removed.

    Raises DatasetNotFoundError.
    """
    from mirror.datasets import tables as d

    workspace.catalog.ensure(*t.ROOM)
    query = (
        sa.select(t.check_results, d.datasets.c.path, t.jobs.c.reference, t.jobs.c.started_at)
        .join(d.datasets, t.check_results.c.dataset_rid == d.datasets.c.rid)
        .join(t.jobs, t.check_results.c.job_rid == t.jobs.c.rid)
    )
    if dataset is not None:
        query = query.where(t.check_results.c.dataset_rid == workspace.store.dataset(dataset).rid)
    if branch is not None:
        query = query.where(t.check_results.c.branch == branch)
    with workspace.catalog.reading() as connection:
        rows = connection.execute(query.order_by(t.check_results.c.evaluated_at.desc(), d.datasets.c.path)).mappings()
        judged = _judged_last(connection)
        return tuple(
            {
                "dataset": row["path"],
                "branch": row["branch"],
                "transaction": row["transaction_rid"],
                "job": row["job_rid"],
                "parameter": row["parameter"],
                "side": row["side"],
                "name": row["name"],
                "on_error": row["on_error"],
                "outcome": row["outcome"],
                "evaluated_at": row["evaluated_at"],
                "result": json.loads(row["document"]),
                "superseded": row["started_at"] < judged[row["side"]].get((row["reference"], row["branch"]), _NEVER),
            }
            for row in rows
        )


def latest_of(recorded: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The newest verdict of every check that still exists, by dataset and name.

    A check exists while the newest job that judged its side reports it; verdicts of removed ones are history.
    ``recorded`` comes newest first.
    """
    newest_job: dict[str, str] = {}
    kept: dict[tuple[str, ...], dict[str, Any]] = {}
    for entry in recorded:
        if entry["superseded"]:
            continue
        # one transform writes a dataset, but many may read it, so only outputs know their newest job
        if entry["side"] == "output" and newest_job.setdefault(entry["dataset"], entry["job"]) != entry["job"]:
            continue
        kept.setdefault((entry["dataset"], entry["side"], entry["parameter"], entry["name"]), entry)
    return sorted(kept.values(), key=lambda e: (e["dataset"], e["side"] == "output", e["name"]))


def _judged_last(connection: Connection) -> Mapping[str, Mapping[tuple[str, str], datetime]]:
    """Side -> transform and branch -> start of the newest job that got as far as judging all of that side."""
    done = (JobStatus.SUCCEEDED,)
    far = {"output": done, "input": (*done, JobStatus.NOTHING_COMMITTED, JobStatus.ABORTED)}
    found = {}
    for side, statuses in far.items():
        query = (
            sa.select(t.jobs.c.reference, t.jobs.c.branch, sa.func.max(t.jobs.c.started_at, type_=UtcTime()))
            .where(t.jobs.c.status.in_([status.value for status in statuses]))
            .group_by(t.jobs.c.reference, t.jobs.c.branch)
        )
        found[side] = {(reference, branch): at for reference, branch, at in connection.execute(query)}
    return found
