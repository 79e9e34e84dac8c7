"""Retention: old versions are swept, old files of the present version are taken out by a DELETE.

Open transactions, pinned ones and whatever the latest view of any branch needs are never swept.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import groupby
from operator import itemgetter

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.datasets import ids, ledger, views
from mirror.datasets import tables as t
from mirror.datasets.catalog import batches
from mirror.datasets.errors import TransactionNotFoundError
from mirror.datasets.records import Dataset, StoredFile, Transaction, TransactionStatus, TransactionType, View
from mirror.datasets.store import DatasetStore


@dataclass(frozen=True)
class SweepPlan:
    """What a sweep would mark: transactions of old views, oldest first, with the bytes they free.

    Attributes:
        pinned: what only its holders keep: transaction RID -> who needs it.
    """

    dataset: Dataset
    transactions: tuple[Transaction, ...]
    bytes: int
    reason: str
    pinned: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Retirement:
    """Old files of a present version that leave it.

    Attributes:
        files: what leaves the branch's view.
        swept: transactions that no view of any branch and no pin needs any more; ``bytes`` of theirs are freed.
        kept: transactions whose files leave the view and stay on disk, and for whom.
        transaction: the DELETE, once it is committed.
    """

    dataset: Dataset
    branch: str
    files: tuple[StoredFile, ...]
    swept: tuple[str, ...]
    bytes: int
    kept: Mapping[str, tuple[str, ...]]
    transaction: Transaction | None = None


def plan_sweep(store: DatasetStore, dataset: Dataset, *, keep_views: int, before: datetime | None = None) -> SweepPlan:
    """The transactions outside the last ``keep_views`` views of every branch (and closed before ``before``).

    ``keep_views`` counts the present view; it is at least 1.
    """
    reason = f"retention keeps {keep_views} view(s)" + (f" and what is newer than {before:%Y-%m-%d}" if before else "")
    with store.catalog.reading() as connection:
        needed, held = _needed(connection, dataset, max(1, keep_views)), _held(connection, dataset)
        query = sa.select(t.transactions.c.rid).where(
            t.transactions.c.dataset_rid == dataset.rid, t.transactions.c.status == TransactionStatus.COMMITTED
        )
        gone = set(connection.scalars(sa.select(t.swept.c.transaction_rid)))
        kept = needed | gone | held.keys()
        candidates = [rid for rid in connection.scalars(query) if rid not in kept]
        found = [x for rid in candidates if (x := ledger.transaction(connection, rid)) is not None]
        if before is not None:
            found = [x for x in found if x.closed_at is not None and x.closed_at < before]
        found.sort(key=lambda x: x.sequence)
        size = sum(f.size for f in ledger.files_of(connection, [x.rid for x in found]))
        pinned = {rid: tuple(sorted(held[rid])) for rid in sorted(held) if rid not in needed and rid not in gone}
    return SweepPlan(dataset, tuple(found), size, reason, pinned)


def sweep(store: DatasetStore, plan: SweepPlan) -> None:
    """Marks the planned transactions, unless something came to need them meanwhile; `mirror gc` frees the bytes."""
    with store.catalog.writing() as connection:
        ledger.lock(connection, plan.dataset.rid)
        needed = _needed(connection, plan.dataset, 1) | _held(connection, plan.dataset).keys()
        rows = [
            {"transaction_rid": x.rid, "swept_at": store.clock(), "reason": plan.reason}
            for x in plan.transactions
            if x.rid not in needed
        ]
        if rows:
            connection.execute(t.swept.insert(), rows)


def plan_retirement(store: DatasetStore, dataset: Dataset, branch: str, *, before: str | datetime) -> Retirement:
    """What :func:`retire` would do. ``before`` is a time, or a transaction of the view (RID or start of its id).

    Raises BranchNotFoundError, TransactionNotFoundError.
    """
    view = store.view(dataset, branch)
    with store.catalog.reading() as connection:
        return _retirement(connection, view, before)


def retire(store: DatasetStore, dataset: Dataset, branch: str, *, before: str | datetime) -> Retirement:
    """Takes the files that came before ``before`` out of the branch's view by a DELETE that is marked as retention's,
    and marks what nobody needs any more as swept, in one SQL transaction; `mirror gc` frees the bytes.

    Incremental readers forgive it where they say ``allow_retention=True``; all others start over. Nothing is written
    where nothing is that old. Raises BranchNotFoundError, TransactionNotFoundError, TransactionOpenError.
    """
    planned = plan_retirement(store, dataset, branch, before=before)
    if not planned.files and not planned.swept:
        return planned
    opened = store.open_transaction(dataset, branch, TransactionType.DELETE)
    done: list[Retirement] = []
    said = before if isinstance(before, str) else f"{before:%Y-%m-%d %H:%M}"

    def mark(connection: Connection) -> None:
        done.append(_retirement(connection, opened.base, before))
        rows = [
            {"transaction_rid": rid, "swept_at": store.clock(), "reason": f"retired: older than {said}"}
            for rid in done[0].swept
        ]
        if rows:
            connection.execute(t.swept.insert(), rows)

    try:
        opened.retention = True
        # Nobody can change the branch now.
        for file in _older(opened.base, before)[1]:
            opened.remove(file.path)
        (committed,) = store.commit([opened], mark)
    except BaseException:
        opened.abort()
        raise
    return replace(done[0], transaction=committed)


def pin(store: DatasetStore, rids: Iterable[str], holder: str) -> None:
    """Keeps transactions from being swept, for a holder (a model version, a report, ...); may be repeated."""
    with store.catalog.writing() as connection:
        pin_within(connection, rids, holder)


def pin_within(connection: Connection, rids: Iterable[str], holder: str) -> None:
    """:func:`pin` inside the caller's SQL transaction; what is no transaction of this catalog is passed over."""
    wanted = list(dict.fromkeys(rids))
    among = t.transactions.c.rid
    known = {rid for some in batches(wanted) for rid in connection.scalars(sa.select(among).where(among.in_(some)))}
    held = set(connection.scalars(sa.select(t.pins.c.transaction_rid).where(t.pins.c.holder == holder)))
    rows = [{"transaction_rid": rid, "holder": holder} for rid in wanted if rid in known and rid not in held]
    if rows:
        connection.execute(t.pins.insert(), rows)


def unpin(store: DatasetStore, holder: str) -> None:
    """Gives back everything a holder pinned."""
    with store.catalog.writing() as connection:
        connection.execute(t.pins.delete().where(t.pins.c.holder == holder))


def _older(view: View, before: str | datetime) -> tuple[tuple[str, ...], tuple[StoredFile, ...]]:
    """The view's transactions before ``before``, and those of its files that they brought."""
    rids = [x.rid for x in view.transactions]
    if isinstance(before, str):
        named = [n for n, rid in enumerate(rids) if ids.is_named(rid, before)]
        if len(named) != 1:
            raise TransactionNotFoundError(view.dataset.path, view.branch, before)
        early = rids[: named[0]]
    else:
        moment = before if before.tzinfo else before.replace(tzinfo=UTC)
        early = [x.rid for x in view.transactions if x.closed_at is not None and x.closed_at < moment]
    among = set(early)
    return tuple(early), tuple(f for f in view.files if f.transaction_rid in among)


def _retirement(connection: Connection, view: View, before: str | datetime) -> Retirement:
    """Who else needs the bytes: whatever effective file of another view lies in the same transactions."""
    early, old = _older(view, before)
    dataset, gone = view.dataset, {(f.transaction_rid, f.path) for f in old}
    users: dict[str, set[str]] = {}

    def use(end: str | None, who: str, without: set[tuple[str, str]]) -> None:
        for file in ledger.effective(connection, ledger.chain(connection, end)):
            if (file.transaction_rid, file.path) not in without:
                users.setdefault(file.transaction_rid, set()).add(who)

    for one in ledger.branches(connection, dataset.rid):
        use(one.head, f"branch {one.name}", gone if one.name == view.branch else set())
    for transaction in ledger.open_transactions(connection, dataset.rid):
        use(transaction.parent, f"branch {transaction.branch}", gone if transaction.branch == view.branch else set())
    for rid, holder in _pins(connection, dataset):
        use(rid, holder, set())
    files = [f for f in ledger.files_of(connection, early) if not f.removed]
    holding = {f.transaction_rid for f in files}
    marked = ledger.swept_among(connection, early)
    swept = tuple(rid for rid in early if rid in holding and rid not in users and rid not in marked)
    return Retirement(
        dataset=dataset,
        branch=view.branch,
        files=old,
        swept=swept,
        bytes=sum(f.size for f in files if f.transaction_rid in swept),
        kept={rid: tuple(sorted(users[rid])) for rid in early if rid in users},
    )


def _pins(connection: Connection, dataset: Dataset) -> list[tuple[str, str]]:
    query = (
        sa.select(t.pins.c.transaction_rid, t.pins.c.holder)
        .join(t.transactions, t.pins.c.transaction_rid == t.transactions.c.rid)
        .where(t.transactions.c.dataset_rid == dataset.rid)
        .order_by(t.transactions.c.sequence, t.pins.c.holder)
    )
    return [(str(rid), str(holder)) for rid, holder in connection.execute(query)]


def _needed(connection: Connection, dataset: Dataset, keep_views: int) -> set[str]:
    """Transactions of the last views of every branch, below open transactions as well."""
    ends = [b.head for b in ledger.branches(connection, dataset.rid)]
    ends += [x.parent for x in ledger.open_transactions(connection, dataset.rid)]
    needed: set[str] = set()
    for end in dict.fromkeys(ends):
        chain = ledger.chain(connection, end, whole=True)
        for _ in range(keep_views):
            start = views.view_start(chain)
            needed.update(x.rid for x in chain[start:])
            chain = chain[:start]
    return needed


def _held(connection: Connection, dataset: Dataset) -> dict[str, set[str]]:
    """Transactions of the views that somebody pinned -> the holders."""
    found: dict[str, set[str]] = {}
    for rid, pins in groupby(_pins(connection, dataset), key=itemgetter(0)):
        holders = {holder for _, holder in pins}
        for x in ledger.chain(connection, rid):
            found.setdefault(x.rid, set()).update(holders)
    return found
