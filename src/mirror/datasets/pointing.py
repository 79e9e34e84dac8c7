"""Points a branch at a committed transaction that was made on another branch of the same dataset.

Nothing is copied and no other branch moves. This is how a promotion takes over what another branch has computed from
the same inputs with the same logic, and how a rollback goes back to what a branch showed before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mirror.datasets import ledger
from mirror.datasets import tables as t
from mirror.datasets.errors import BranchProtectedError, TransactionNotFoundError, TransactionSweptError
from mirror.datasets.records import TransactionStatus
from mirror.datasets.store import DatasetStore


def point_branch(store: DatasetStore, branch: str, heads: Mapping[str, str], fallbacks: Sequence[str] = ()) -> None:
    """Moves ``branch`` of several datasets in one SQL transaction: all of them or none.

    Args:
        heads: dataset path -> the committed transaction its branch shall end with.
        fallbacks: a branch that does not exist yet becomes a child of the first of these that does, else a root.

    Raises DatasetNotFoundError, TransactionOpenError, BranchProtectedError, TransactionNotFoundError for what is no
    committed transaction of the dataset, TransactionSweptError.
    """
    datasets = {path: store.dataset(path) for path in sorted(heads)}
    with store.catalog.writing() as connection:
        for path, dataset in datasets.items():
            ledger.lock(connection, dataset.rid)
            wanted = ledger.transaction(connection, heads[path])
            if wanted is None or wanted.dataset_rid != dataset.rid or wanted.status is not TransactionStatus.COMMITTED:
                raise TransactionNotFoundError(path, branch, heads[path])
            needed = {f.transaction_rid for f in ledger.effective(connection, ledger.chain(connection, wanted.rid))}
            if gone := ledger.swept_among(connection, needed):
                raise TransactionSweptError(path, *next(iter(gone.items())))
            found = ledger.branch(connection, dataset.rid, branch)
            if found is None:
                parent = next((f for f in fallbacks if ledger.branch(connection, dataset.rid, f) is not None), None)
                ledger.add_branch(connection, dataset.rid, branch, parent, wanted.rid, store.clock())
                continue
            if found.head == wanted.rid:
                continue
            store.refuse_open(connection, dataset, branch)
            if found.protected:
                raise BranchProtectedError(path, branch, "moving it")
            of_branch = (t.branches.c.dataset_rid == dataset.rid) & (t.branches.c.name == branch)
            connection.execute(t.branches.update().where(of_branch).values(head=wanted.rid))


def empty_branches(store: DatasetStore, branch: str, paths: Sequence[str], fallbacks: Sequence[str]) -> None:
    """Gives datasets a branch that shows nothing yet, a child of the first fallback that exists; all of them or none.

    Without it the first build of an incremental output would go on from what the fallback shows. A dataset that has the
    branch already is left alone; one that does not exist is made.
    """
    datasets = [store.create(path, exist_ok=True) for path in sorted(paths)]
    with store.catalog.writing() as connection:
        for dataset in datasets:
            ledger.lock(connection, dataset.rid)
            if ledger.branch(connection, dataset.rid, branch) is None:
                parent = next((f for f in fallbacks if ledger.branch(connection, dataset.rid, f) is not None), None)
                ledger.add_branch(connection, dataset.rid, branch, parent, None, store.clock())
