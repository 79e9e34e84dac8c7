"""Does the disk hold what the catalog says: every file present, of its size, with its checksum?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from mirror.datasets import tables as t
from mirror.datasets.records import Dataset, TransactionStatus
from mirror.datasets.storage import Storage
from mirror.datasets.store import DatasetStore


@dataclass(frozen=True)
class Damage:
    """One file that is not what was committed.

    Attributes:
        in_view_of: branches whose present view needs it; empty for old versions.
    """

    dataset: str
    branch: str
    transaction: str
    path: str
    problem: str
    in_view_of: tuple[str, ...]


def verify(store: DatasetStore, dataset: Dataset | None = None, *, checksums: bool = True) -> tuple[Damage, ...]:
    """Every damaged file of committed, not swept transactions; without ``checksums`` only presence and size count."""
    storage = store.storage
    tx, f = t.transactions, t.files
    query = (
        sa.select(
            t.datasets.c.rid, t.datasets.c.path, tx.c.branch, tx.c.rid, f.c.path, f.c.location, f.c.size, f.c.sha256
        )
        .join(tx, f.c.transaction_rid == tx.c.rid)
        .join(t.datasets, tx.c.dataset_rid == t.datasets.c.rid)
        .where(tx.c.status == TransactionStatus.COMMITTED, f.c.removed.is_(sa.false()))
        .where(tx.c.rid.not_in(sa.select(t.swept.c.transaction_rid)))
        .order_by(t.datasets.c.path, tx.c.sequence, f.c.path)
    )
    if dataset is not None:
        query = query.where(t.datasets.c.rid == dataset.rid)
    with store.catalog.reading() as connection:
        rows = connection.execute(query).all()
    sizes: dict[str, int] = {}
    for folder in dict.fromkeys(row[5].split("/", 1)[0] for row in rows):
        # One listing tells the sizes of thousands of objects.
        sizes.update((file.location, file.size) for file in storage.listing(folder))

    def problem_of(row: tuple[str, int, str]) -> str | None:
        location, size, sha256 = row
        return _problem(storage, location, sizes.get(location), size, sha256 if checksums else None)

    problems = storage.each(problem_of, [(row[5], row[6], row[7]) for row in rows])
    damaged = []
    for (rid, name, branch, transaction, path, *_), problem in zip(rows, problems, strict=True):
        if problem is not None:
            needed = tuple(_needing(store, Dataset(rid, name), transaction, path))
            damaged.append(Damage(name, branch, transaction, path, problem, needed))
    return tuple(damaged)


def _problem(storage: Storage, location: str, found: int | None, size: int, sha256: str | None) -> str | None:
    if found is None:
        return "missing"
    if found != size:
        return f"has {found} bytes instead of {size}"
    if sha256 is not None and storage.sha256(location) != sha256:
        return "was altered (another checksum)"
    return None


def _needing(store: DatasetStore, dataset: Dataset, transaction: str, path: str) -> Iterator[str]:
    for branch in store.branches(dataset):
        view = store.view(dataset, branch.name)
        if any(f.transaction_rid == transaction and f.path == path for f in view.files):
            yield branch.name
