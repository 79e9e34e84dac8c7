"""Everything a plan must know of the catalog, read in a handful of statements whatever the number of jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.builds import tables as t
from mirror.datasets import TransactionStatus, Workspace
from mirror.datasets import tables as d


class InputRange(NamedTuple):
    """What one run read of one dataset: the view from ``start`` to ``end``, on ``branch``."""

    param: str
    branch: str
    start: str | None
    end: str


class OutputRecord(NamedTuple):
    """What one run did to one output: the transaction it committed, or the head it left in place."""

    param: str
    transaction: str | None
    head_before: str | None


@dataclass(frozen=True)
class RunRecord:
    """What a committed run wrote down for later runs to compare with.

    Attributes:
        inputs: dataset path -> range.
        outputs: dataset path -> what became of it.
        resources: input parameter -> version used.
        published: output parameter -> version made.
    """

    job: str
    reference: str
    logic_version: str
    semantic_version: int
    incremental: bool
    inputs: Mapping[str, InputRange] = field(default_factory=dict)
    outputs: Mapping[str, OutputRecord] = field(default_factory=dict)
    resources: Mapping[str, str | None] = field(default_factory=dict)
    published: Mapping[str, str] = field(default_factory=dict)
    v2_semantics: bool = False

    def to_json(self) -> dict[str, Any]:
        """A JSON document; the inverse of :meth:`from_json`."""
        return {
            **vars(self),
            "inputs": {path: entry._asdict() for path, entry in self.inputs.items()},
            "outputs": {path: entry._asdict() for path, entry in self.outputs.items()},
            "resources": dict(self.resources),
            "published": dict(self.published),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> RunRecord:
        """The inverse of :meth:`to_json`."""
        inputs = {path: InputRange(**entry) for path, entry in document["inputs"].items()}
        outputs = {path: OutputRecord(**entry) for path, entry in document["outputs"].items()}
        return cls(**{**document, "inputs": inputs, "outputs": outputs})


@dataclass(frozen=True)
class Head:
    """Where a dataset stands on the branch it resolves to.

    Attributes:
        branch: the first of build branch and fallbacks that the dataset has.
        transaction: the newest committed one that is no retention delete, or ``None``.
    """

    branch: str
    transaction: str | None


@dataclass(frozen=True)
class CatalogState:
    """Heads of every dataset and the runs that made them.

    Attributes:
        heads: dataset path -> head.
        runs: transaction -> run that committed it.
        latest: reference -> newest succeeded run on the build branch (jobs without dataset outputs are found by it).
    """

    heads: Mapping[str, Head]
    runs: Mapping[str, RunRecord]
    latest: Mapping[str, RunRecord]
    _branches: Mapping[str, Mapping[str, str | None]]

    def on(self, path: str, branch: str) -> Head | None:
        """The head on exactly this branch, or ``None`` where the dataset lacks it."""
        branches = self._branches.get(path, {})
        return Head(branch, branches[branch]) if branch in branches else None


def read_state(workspace: Workspace, branch: str, fallbacks: Sequence[str]) -> CatalogState:
    """One consistent look at the catalog."""
    workspace.catalog.ensure(*t.ROOM)
    with workspace.catalog.reading() as connection:
        branches = _branch_heads(connection)
        heads = {}
        for path, by_name in branches.items():
            name = next((name for name in (branch, *fallbacks) if name in by_name), None)
            if name is not None:
                heads[path] = Head(name, by_name[name])
        runs = _runs(connection)
        latest = _latest(connection, branch)
    return CatalogState(heads, runs, latest, branches)


def _branch_heads(connection: Connection) -> dict[str, dict[str, str | None]]:
    tx = d.transactions
    query = (
        sa.select(d.datasets.c.path, d.branches.c.name, tx.c.rid, tx.c.status, tx.c.parent, tx.c.retention)
        .select_from(d.branches.join(d.datasets, d.branches.c.dataset_rid == d.datasets.c.rid))
        .outerjoin(tx, d.branches.c.head == tx.c.rid)
    )
    found: dict[str, dict[str, str | None]] = {}
    for path, name, rid, status, parent, retention in connection.execute(query).all():
        while rid is not None and (status != TransactionStatus.COMMITTED or retention):
            older = connection.execute(
                sa.select(tx.c.rid, tx.c.status, tx.c.parent, tx.c.retention).where(tx.c.rid == parent)
            ).first()
            rid, status, parent, retention = older if older is not None else (None, None, None, None)
        found.setdefault(path, {})[name] = rid
    return found


def _runs(connection: Connection) -> dict[str, RunRecord]:
    """Runs behind the heads of all branches: whatever a plan can compare with."""
    tx = d.transactions
    heads = sa.select(d.branches.c.head)
    # An open transaction or a retention delete at the head hides the built transaction just below it.
    below = sa.select(tx.c.parent).where(tx.c.rid.in_(heads))
    query = (
        sa.select(t.provenance.c.transaction_rid, t.jobs.c.rid, t.jobs.c.provenance)
        .join(t.jobs, t.provenance.c.job_rid == t.jobs.c.rid)
        .where(t.provenance.c.transaction_rid.in_(heads) | t.provenance.c.transaction_rid.in_(below))
    )
    parsed: dict[str, RunRecord] = {}
    found = {}
    for transaction, job, document in connection.execute(query).all():
        if job not in parsed:
            parsed[job] = RunRecord.from_json(json.loads(document))
        found[transaction] = parsed[job]
    return found


def _latest(connection: Connection, branch: str) -> dict[str, RunRecord]:
    """Newest succeeded runs that no dataset shows: they published something else, or nothing at all."""
    query = (
        sa.select(t.jobs.c.reference, t.jobs.c.provenance)
        .where(t.jobs.c.branch == branch, t.jobs.c.status == "succeeded", t.jobs.c.publishes)
        .order_by(t.jobs.c.finished_at)
    )
    rows = connection.execute(query).all()
    return {reference: RunRecord.from_json(json.loads(document)) for reference, document in rows}
