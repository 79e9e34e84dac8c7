"""Statements over branches, transactions and files, each inside the caller's SQL transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.datasets import tables as t
from mirror.datasets import views
from mirror.datasets.catalog import batches
from mirror.datasets.records import Branch, StoredFile, StoredSchema, Transaction, TransactionStatus, TransactionType

_TX = t.transactions


def _walk(*columns: str, whole: bool) -> sa.CTE:
    """From a transaction to its parents, as far as the view or the history reaches; all columns, or some."""
    older = _TX.alias("older")
    first = sa.select(*[_TX.c[name] for name in columns]) if columns else sa.select(_TX)
    further = sa.select(*[older.c[name] for name in columns]) if columns else sa.select(older)
    walk = first.where(_TX.c.rid == sa.bindparam("end")).cte("walk", recursive=True)
    step = further.join(walk, older.c.rid == walk.c.parent)
    if not whole:
        stops = sa.and_(walk.c.type == TransactionType.SNAPSHOT, walk.c.status == TransactionStatus.COMMITTED)
        step = step.where(sa.not_(stops))
    return walk.union_all(step)


def _naming() -> sa.Select[Any]:
    """Files of a view's transactions under some paths."""
    walk = _walk("rid", "parent", "type", "status", whole=False)
    paths: sa.BindParameter[Any] = sa.bindparam("paths", expanding=True)
    named = sa.select(t.files.c.path).join(walk, t.files.c.transaction_rid == walk.c.rid)
    return named.where(walk.c.status == TransactionStatus.COMMITTED, t.files.c.path.in_(paths)).limit(1)


# Made once: putting a statement together takes longer than running it.
_VIEW, _WHOLE = sa.select(_walk(whole=False)), sa.select(_walk(whole=True))
_NAMING = _naming()


def transaction(connection: Connection, rid: str) -> Transaction | None:
    """One transaction by RID."""
    row = connection.execute(sa.select(_TX).where(_TX.c.rid == rid)).mappings().first()
    return None if row is None else _transaction(row)


def branches(connection: Connection, dataset_rid: str) -> list[Branch]:
    """The branches of a dataset, oldest first."""
    query = sa.select(t.branches).where(t.branches.c.dataset_rid == dataset_rid)
    rows = connection.execute(query.order_by(t.branches.c.created_at, t.branches.c.name)).mappings()
    return [_branch(row) for row in rows]


def lock(connection: Connection, dataset_rid: str) -> None:
    """Keeps other writers of a dataset out until the SQL transaction ends; SQLite has one writer anyway."""
    connection.execute(sa.select(t.datasets.c.rid).where(t.datasets.c.rid == dataset_rid).with_for_update())


def branch(connection: Connection, dataset_rid: str, name: str) -> Branch | None:
    """One branch."""
    query = sa.select(t.branches).where(t.branches.c.dataset_rid == dataset_rid, t.branches.c.name == name)
    row = connection.execute(query).mappings().first()
    return None if row is None else _branch(row)


def add_branch(
    connection: Connection, dataset_rid: str, name: str, parent: str | None, head: str | None, now: datetime
) -> Branch:
    """Writes a branch down."""
    values = {"dataset_rid": dataset_rid, "name": name, "parent": parent, "head": head, "created_at": now}
    connection.execute(t.branches.insert().values(**values))
    return Branch(dataset_rid, name, parent, head)


def chain(connection: Connection, end: str | None, *, whole: bool = False) -> list[Transaction]:
    """Committed transactions from the view's start (or the very first, with ``whole``) to ``end``, oldest first.

    The chain follows transaction parents, so it spans branches. An open transaction at its end is left out.
    """
    if end is None:
        return []
    rows = connection.execute(_WHOLE if whole else _VIEW, {"end": end}).mappings()
    found = [_transaction(row) for row in rows]
    found.sort(key=lambda transaction: transaction.sequence)
    return [transaction for transaction in found if transaction.status is TransactionStatus.COMMITTED]


def files_of(connection: Connection, transactions: Sequence[str]) -> list[StoredFile]:
    """The file references of some transactions."""
    found: list[StoredFile] = []
    for some in batches(transactions):
        query = sa.select(t.files).where(t.files.c.transaction_rid.in_(some))
        found.extend(StoredFile(**row) for row in connection.execute(query).mappings())
    return found


def mentioned(connection: Connection, end: str | None, paths: Sequence[str]) -> bool:
    """Whether a transaction of the view that ends with ``end`` names one of the paths.

    The database walks the view: an append would otherwise cost more with every one before it.
    """
    return end is not None and any(
        connection.execute(_NAMING, {"end": end, "paths": list(some)}).first() is not None for some in batches(paths)
    )


def schema(connection: Connection, key: str | None) -> StoredSchema | None:
    """A stored schema by its key."""
    if key is None:
        return None
    document = connection.scalar(sa.select(t.schemas.c.document).where(t.schemas.c.key == key))
    return StoredSchema.from_json(json.loads(str(document)))


def add_files(connection: Connection, files: Iterable[StoredFile]) -> None:
    """Writes file references down."""
    rows = [
        {
            "transaction_rid": f.transaction_rid, "path": f.path, "location": f.location, "size": f.size,
            "sha256": f.sha256, "modified": f.modified, "rows": f.rows, "removed": f.removed,
        }
        for f in files
    ]  # fmt: skip
    if rows:
        connection.execute(t.files.insert(), rows)


def next_sequence(connection: Connection, dataset_rid: str) -> int:
    """The number of the next transaction of a dataset, taken."""
    statement = (
        t.datasets.update()
        .where(t.datasets.c.rid == dataset_rid)
        .values(next_sequence=t.datasets.c.next_sequence + 1)
        .returning(t.datasets.c.next_sequence)
    )
    return int(connection.execute(statement).scalar_one()) - 1


def point_heads(connection: Connection, dataset_rid: str, old: str, new: str | None) -> None:
    """Moves every branch that points at ``old`` to ``new``."""
    at_old = (t.branches.c.dataset_rid == dataset_rid) & (t.branches.c.head == old)
    connection.execute(t.branches.update().where(at_old).values(head=new))


def close(connection: Connection, rid: str, status: TransactionStatus, now: datetime, **values: Any) -> bool:
    """Closes an open transaction; ``False`` when it is not open any more."""
    is_open = (_TX.c.rid == rid) & (_TX.c.status == TransactionStatus.OPEN)
    done = connection.execute(_TX.update().where(is_open).values(status=status, closed_at=now, **values))
    return bool(done.rowcount)


def settle_forced(connection: Connection, dataset_rid: str, branch: str) -> None:
    """Forgets that a snapshot was asked for."""
    forced = t.forced_snapshots
    connection.execute(forced.delete().where((forced.c.dataset_rid == dataset_rid) & (forced.c.branch == branch)))


def open_transactions(connection: Connection, dataset_rid: str | None = None) -> list[Transaction]:
    """Every open transaction, of one dataset or of all."""
    query = sa.select(_TX).where(_TX.c.status == TransactionStatus.OPEN)
    if dataset_rid is not None:
        query = query.where(_TX.c.dataset_rid == dataset_rid)
    return [_transaction(row) for row in connection.execute(query).mappings()]


def effective(connection: Connection, chain: Sequence[Transaction]) -> tuple[StoredFile, ...]:
    """The files of a view after ``chain`` (which may begin before the view does), ordered by logical path."""
    rest = chain[views.view_start(chain) :]
    return views.apply(rest, files_of(connection, [x.rid for x in rest]))


def swept_among(connection: Connection, rids: Iterable[str]) -> dict[str, str]:
    """Those of the transactions that were swept, and why. Usually nothing is swept at all."""
    if connection.execute(sa.select(t.swept.c.transaction_rid).limit(1)).first() is None:
        return {}
    found: dict[str, str] = {}
    for some in batches(list(rids)):
        among = t.swept.c.transaction_rid.in_(some)
        rows = connection.execute(sa.select(t.swept.c.transaction_rid, t.swept.c.reason).where(among))
        found.update((str(row[0]), str(row[1])) for row in rows)
    return found


def committed(connection: Connection, head: str | None) -> str | None:
    """The head, or what stands below it while it is open."""
    found = transaction(connection, head) if head else None
    return found.parent if found is not None and found.status is TransactionStatus.OPEN else head


def on_branch(connection: Connection, dataset_rid: str, name: str) -> list[Transaction]:
    """Everything ever opened on a branch, aborted transactions included, oldest first."""
    query = sa.select(_TX).where(_TX.c.dataset_rid == dataset_rid, _TX.c.branch == name).order_by(_TX.c.sequence)
    return [_transaction(row) for row in connection.execute(query).mappings()]


def _transaction(row: Any) -> Transaction:
    return Transaction(**{**row, "type": TransactionType(row["type"]), "status": TransactionStatus(row["status"])})


def _branch(row: Any) -> Branch:
    return Branch(row["dataset_rid"], row["name"], row["parent"], row["head"], bool(row["protected"]))
