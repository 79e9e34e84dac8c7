"""Everything a plan must know of the catalog, read in a handful of statements whatever the number of jobs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.builds import tables as t
from mirror.builds.bulk import parsed
from mirror.datasets import TransactionStatus, Workspace
from mirror.datasets import tables as d
from mirror.datasets.catalog import batches


class InputRange(NamedTuple):
    """What one run read of one dataset: the view from ``start`` to ``end``, on ``branch``.

    ``newest`` is the last transaction in it that is no retention delete; ``snapshot`` says that it was read whole,
    whatever came before.
    """

    param: str
    branch: str
    start: str | None
    end: str
    newest: str | None = None
    snapshot: bool = False


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
        made = cls.__new__(cls)
        # Field by field the frozen constructor takes as long as parsing the document.
        vars(made).update(document, inputs=inputs, outputs=outputs)
        return made


@dataclass(frozen=True)
class Head:
    """Where a dataset stands on the branch it resolves to.

    Attributes:
        branch: the first of build branch and fallbacks that the dataset has.
        transaction: the newest committed one that is no retention delete, or ``None``: what counts as new.
        retained: the retention delete after it that ends the view, where there is one.
    """

    branch: str
    transaction: str | None
    retained: str | None = None

    @property
    def end(self) -> str | None:
        """The transaction that the view ends with."""
        return self.retained or self.transaction


@dataclass(frozen=True)
class CatalogState:
    """Heads of every dataset and the runs that made them.

    Attributes:
        heads: dataset path -> head.
        runs: transaction -> run that committed it.
        latest: reference -> newest succeeded run on the build branch that no dataset shows (it has no dataset outputs,
            published something else as well, or aborted every output).
        forced: paths whose next build on the build branch must start over.
    """

    heads: Mapping[str, Head]
    runs: Mapping[str, RunRecord]
    latest: Mapping[str, RunRecord]
    _branches: Mapping[str, Mapping[str, Head]]
    forced: frozenset[str] = frozenset()

    def on(self, path: str, branch: str) -> Head | None:
        """The head on exactly this branch, or ``None`` where the dataset lacks it."""
        return self._branches.get(path, {}).get(branch)

    def input(self, path: str, pinned: str | None) -> Head | None:
        """Where an input is read: on the branch that its declaration pins, else where the dataset resolves to."""
        return self.on(path, pinned) if pinned else self.heads.get(path)

    def output(self, path: str, branch: str) -> Head | None:
        """What counts as the previous state of an output: on a new branch, that of the branch it is created from."""
        return self.on(path, branch) or self.heads.get(path)


def read_state(workspace: Workspace, branch: str, fallbacks: Sequence[str]) -> CatalogState:
    """One consistent look at the catalog."""
    workspace.catalog.ensure(*t.ROOM)
    with workspace.catalog.reading() as connection:
        branches, hidden = _branch_heads(connection)
        heads = {}
        for path, by_name in branches.items():
            name = next((name for name in (branch, *fallbacks) if name in by_name), None)
            if name is not None:
                heads[path] = by_name[name]
        runs = _runs(connection, hidden)
        latest = _latest(connection, branch)
        asked = d.forced_snapshots
        paths = sa.select(d.datasets.c.path).join(asked, asked.c.dataset_rid == d.datasets.c.rid)
        forced = frozenset(connection.scalars(paths.where(asked.c.branch == branch)))
    return CatalogState(heads, runs, latest, branches, forced)


def _branch_heads(connection: Connection) -> tuple[dict[str, dict[str, Head]], list[str]]:
    """Heads by path and branch, and those that something else hides: an open transaction or retention deletes."""
    tx = d.transactions
    query = (
        sa.select(d.datasets.c.path, d.branches.c.name, tx.c.rid, tx.c.status, tx.c.parent, tx.c.retention)
        .select_from(d.branches.join(d.datasets, d.branches.c.dataset_rid == d.datasets.c.rid))
        .outerjoin(tx, d.branches.c.head == tx.c.rid)
    )
    found: dict[str, dict[str, Head]] = {}
    hidden: list[str] = []
    for path, name, first, status, parent, retention in connection.execute(query).all():
        rid, retained = first, None
        while rid is not None and (status != TransactionStatus.COMMITTED or retention):
            if status == TransactionStatus.COMMITTED:
                retained = retained or rid
            older = connection.execute(
                sa.select(tx.c.rid, tx.c.status, tx.c.parent, tx.c.retention).where(tx.c.rid == parent)
            ).first()
            rid, status, parent, retention = older if older is not None else (None, None, None, None)
        if rid is not None and rid != first:
            hidden.append(rid)
        found.setdefault(path, {})[name] = Head(name, rid, retained)
    return found, hidden


def _runs(connection: Connection, hidden: Sequence[str]) -> dict[str, RunRecord]:
    """Runs behind the heads of all branches: whatever a plan can compare with."""
    made = t.provenance.c.transaction_rid
    wanted = [made.in_(sa.select(d.branches.c.head))]
    wanted += [made.in_(some) for some in batches(hidden)]
    query = sa.select(made, t.jobs.c.rid, t.jobs.c.provenance).join(t.jobs, t.provenance.c.job_rid == t.jobs.c.rid)
    jobs: dict[str, str] = {}
    documents: dict[str, str] = {}
    for condition in wanted:
        for transaction, job, document in connection.execute(query.where(condition)).all():
            jobs[transaction] = job
            documents[job] = document
    runs = {run["job"]: RunRecord.from_json(run) for run in parsed(documents.values())}
    return {transaction: runs[job] for transaction, job in jobs.items()}


def _latest(connection: Connection, branch: str) -> dict[str, RunRecord]:
    """Newest succeeded runs that no dataset shows."""
    query = (
        sa.select(t.jobs.c.reference, t.jobs.c.provenance)
        .where(t.jobs.c.branch == branch, t.jobs.c.status == "succeeded", t.jobs.c.publishes)
        .order_by(t.jobs.c.finished_at)
    )
    rows = connection.execute(query).all()
    return {reference: RunRecord.from_json(json.loads(document)) for reference, document in rows}
