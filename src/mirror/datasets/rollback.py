"""Rollback: a branch ends with one of its earlier transactions again (fact sheet, section 1.8).

Nothing is deleted: what is rolled back stays in the history, struck through, until it is swept, and can be gone forward
to. Logic is not reverted, so the next build applies it again. No other branch moves.
"""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.datasets import ids, ledger
from mirror.datasets import tables as t
from mirror.datasets.errors import (
    BranchProtectedError,
    TransactionNotFoundError,
    TransactionStateError,
    TransactionSweptError,
)
from mirror.datasets.records import Dataset, Transaction, TransactionStatus
from mirror.datasets.store import DatasetStore


@dataclass(frozen=True)
class Rollback:
    """What a rollback does, or did.

    Attributes:
        to: the transaction the branch ends with afterwards.
        undone: transactions that leave the branch, oldest first.
        restored: transactions that come back, where ``to`` had been rolled back itself.
    """

    dataset: Dataset
    branch: str
    to: Transaction
    undone: tuple[Transaction, ...]
    restored: tuple[Transaction, ...]


def plan_rollback(store: DatasetStore, dataset: Dataset, branch: str, to: str) -> Rollback:
    """What :func:`rollback` would do.

    Args:
        branch: must exist on the dataset itself; no fallback is taken.
        to: RID or start of the id of a committed transaction of the branch's history.

    Raises BranchNotFoundError, TransactionNotFoundError, TransactionStateError, TransactionSweptError.
    """
    with store.catalog.reading() as connection:
        return _planned(store, connection, dataset, branch, to)


def rollback(store: DatasetStore, dataset: Dataset, branch: str, to: str) -> Rollback:
    """Moves the branch in one SQL transaction.

    Raises what :func:`plan_rollback` raises, and TransactionOpenError, BranchProtectedError.
    """
    with store.catalog.writing() as connection:
        ledger.lock(connection, dataset.rid)
        store.refuse_open(connection, dataset, branch)
        planned = _planned(store, connection, dataset, branch, to)
        found = ledger.branch(connection, dataset.rid, branch)
        if found is not None and found.protected:
            raise BranchProtectedError(dataset.path, branch, "rolling it back")
        of_branch = (t.branches.c.dataset_rid == dataset.rid) & (t.branches.c.name == branch)
        connection.execute(t.branches.update().where(of_branch).values(head=planned.to.rid))
    return planned


def _planned(store: DatasetStore, connection: Connection, dataset: Dataset, branch: str, to: str) -> Rollback:
    past = store.history_within(connection, dataset, branch)
    named = [x for x in past if ids.is_named(x.rid, to)]
    if len(named) != 1:
        raise TransactionNotFoundError(dataset.path, branch, to)
    if named[0].status is not TransactionStatus.COMMITTED:
        raise TransactionStateError(named[0].rid, named[0].status, "rolled back to")
    found = ledger.branch(connection, dataset.rid, branch)
    now = ledger.chain(connection, None if found is None else found.head, whole=True)
    then = ledger.chain(connection, named[0].rid, whole=True)
    # What retention has swept cannot come back.
    needed = {f.transaction_rid for f in ledger.effective(connection, then)}
    if gone := ledger.swept_among(connection, needed):
        raise TransactionSweptError(dataset.path, *next(iter(gone.items())))
    before, after = {x.rid for x in now}, {x.rid for x in then}
    undone = tuple(x for x in now if x.rid not in after)
    return Rollback(dataset, branch, named[0], undone, tuple(x for x in then if x.rid not in before))


def force_snapshot(store: DatasetStore, dataset: Dataset, branch: str) -> None:
    """Where there is no earlier transaction to go back to: the next build of the dataset on the branch starts over.

    Nothing changes before that build, and nothing but a build undoes it; ``--force`` builds what is up to date. Raises
    BranchNotFoundError, TransactionOpenError.
    """
    forced = t.forced_snapshots
    with store.catalog.writing() as connection:
        ledger.lock(connection, dataset.rid)
        store.refuse_open(connection, dataset, branch)
        asked = (forced.c.dataset_rid == dataset.rid) & (forced.c.branch == branch)
        if connection.scalar(sa.select(forced.c.branch).where(asked)) is None:
            values = {"dataset_rid": dataset.rid, "branch": branch, "asked_at": store.clock()}
            connection.execute(forced.insert().values(**values))
