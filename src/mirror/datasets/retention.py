"""Retention: old versions are swept, old files of the present version are taken out by a DELETE.

Open transactions, pinned ones and whatever the latest view of any branch needs are never swept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.datasets import ledger, views
from mirror.datasets import tables as t
from mirror.datasets.records import Dataset, Transaction, TransactionStatus, TransactionType
from mirror.datasets.store import DatasetStore


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep would mark: transactions of old views, oldest first, with the bytes they free."""

    dataset: Dataset
    transactions: tuple[Transaction, ...]
    bytes: int
    reason: str


def plan_sweep(store: DatasetStore, dataset: Dataset, *, keep_views: int, before: datetime | None = None) -> SweepPlan:
    """The transactions outside the last ``keep_views`` views of every branch (and closed before ``before``).

    ``keep_views`` counts the present view; it is at least 1.
    """
    reason = f"retention keeps {keep_views} view(s)" + (f" and what is newer than {before:%Y-%m-%d}" if before else "")
    with store.catalog.reading() as connection:
        needed = _needed(connection, dataset, max(1, keep_views))
        query = sa.select(t.transactions.c.rid).where(
            t.transactions.c.dataset_rid == dataset.rid, t.transactions.c.status == TransactionStatus.COMMITTED
        )
        gone = set(connection.scalars(sa.select(t.swept.c.transaction_rid)))
        candidates = [rid for rid in connection.scalars(query) if rid not in needed and rid not in gone]
        found = [x for rid in candidates if (x := ledger.transaction(connection, rid)) is not None]
        if before is not None:
            found = [x for x in found if x.closed_at is not None and x.closed_at < before]
        found.sort(key=lambda x: x.sequence)
        size = sum(f.size for f in ledger.files_of(connection, [x.rid for x in found]))
    return SweepPlan(dataset, tuple(found), size, reason)


def sweep(store: DatasetStore, plan: SweepPlan) -> None:
    """Marks the planned transactions, unless something came to need them meanwhile; `mirror gc` frees the bytes."""
    with store.catalog.writing() as connection:
        ledger.lock(connection, plan.dataset.rid)
        needed = _needed(connection, plan.dataset, 1)
        rows = [
            {"transaction_rid": x.rid, "swept_at": store.clock(), "reason": plan.reason}
            for x in plan.transactions
            if x.rid not in needed
        ]
        if rows:
            connection.execute(t.swept.insert(), rows)


def retire(store: DatasetStore, dataset: Dataset, branch: str, *, before: datetime) -> Transaction | None:
    """Takes the files that came before ``before`` out of the branch's view by a DELETE that is marked as retention's.

    Incremental readers forgive it where they say ``allow_retention=True``; all others start over. Returns the
    transaction, or ``None`` where nothing is that old.
    """
    view = store.view(dataset, branch)
    closed = {x.rid: x.closed_at for x in view.transactions}
    old = [f.path for f in view.files if (at := closed[f.transaction_rid]) is not None and at < before]
    if not old:
        return None
    with store.transaction(dataset, branch, TransactionType.DELETE) as opened:
        opened.retention = True
        for path in old:
            opened.remove(path)
    return next(x for x in reversed(store.history(dataset, branch)) if x.rid == opened.rid)


def pin(store: DatasetStore, rids: Sequence[str], holder: str) -> None:
    """Keeps transactions from being swept, for a holder (a model version, a report, ...); may be repeated."""
    with store.catalog.writing() as connection:
        held = set(connection.scalars(sa.select(t.pins.c.transaction_rid).where(t.pins.c.holder == holder)))
        rows = [{"transaction_rid": rid, "holder": holder} for rid in dict.fromkeys(rids) if rid not in held]
        if rows:
            connection.execute(t.pins.insert(), rows)


def unpin(store: DatasetStore, holder: str) -> None:
    """Gives back everything a holder pinned."""
    with store.catalog.writing() as connection:
        connection.execute(t.pins.delete().where(t.pins.c.holder == holder))


def _needed(connection: Connection, dataset: Dataset, keep_views: int) -> set[str]:
    ends = [b.head for b in ledger.branches(connection, dataset.rid)]
    ends += [x.parent for x in ledger.open_transactions(connection, dataset.rid)]
    pinned = sa.select(t.pins.c.transaction_rid).join(t.transactions, t.pins.c.transaction_rid == t.transactions.c.rid)
    needed: set[str] = set()
    for end in dict.fromkeys(ends):
        chain = ledger.chain(connection, end, whole=True)
        for _ in range(keep_views):
            start = views.view_start(chain)
            needed.update(x.rid for x in chain[start:])
            chain = chain[:start]
    for rid in connection.scalars(pinned.where(t.transactions.c.dataset_rid == dataset.rid)):
        chain = ledger.chain(connection, rid)
        needed.update(x.rid for x in chain[views.view_start(chain) :])
    return needed
