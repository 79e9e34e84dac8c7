"""The store: datasets, branches and transactions as they change."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Sequence

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.datasets import ids, ledger, owners
from mirror.datasets import tables as t
from mirror.datasets.errors import (
    BranchExistsError,
    BranchProtectedError,
    CatalogBusyError,
    DatasetExistsError,
    DatasetNameError,
    StorageUnwritableError,
    TransactionNotFoundError,
    TransactionOpenError,
)
from mirror.datasets.reader import DEFAULT_BRANCH, DatasetReader
from mirror.datasets.records import (
    Branch,
    Dataset,
    Transaction,
    TransactionStatus,
    TransactionType,
)
from mirror.datasets.transaction import OpenTransaction


def path_problem(path: str) -> str | None:
    """Why no dataset can have this path; ``None`` when one can."""
    if path and path == path.strip() and ".." not in path.split("/") and not path.endswith("/"):
        return None
    return "it is empty, ends with '/', has blanks at its ends or contains '..'"


class DatasetStore(DatasetReader):
    """Everything stored in one workspace: what :class:`DatasetReader` tells, and how it changes."""

    def create(self, path: str, *, exist_ok: bool = False) -> Dataset:
        """A new dataset without branches. Raises DatasetNameError, DatasetExistsError."""
        rid, path = (path, self.rids.get(path, path)) if path.startswith("ri.") else (self._mapped_rid(path), path)
        if (problem := path_problem(path)) is not None:
            raise DatasetNameError(path, problem)
        if exist_ok and (known := self.find(path)) is not None:
            return known
        try:
            return self._create(path, rid, exist_ok)
        except sa.exc.IntegrityError:
            # Another process made it between the look and the write.
            return self._create(path, rid, exist_ok)

    def _create(self, path: str, rid: str, exist_ok: bool) -> Dataset:
        with self.catalog.writing() as connection:
            query = sa.select(t.datasets.c.rid, t.datasets.c.path)
            row = connection.execute(query.where((t.datasets.c.path == path) | (t.datasets.c.rid == rid))).first()
            if row is not None:
                if exist_ok:
                    return Dataset(*row)
                raise DatasetExistsError(path)
            connection.execute(t.datasets.insert().values(rid=rid, path=path, created_at=self.clock()))
        return Dataset(rid, path)

    def create_branch(self, dataset: Dataset, name: str, *, parent: str | None = None, at: str | None = None) -> Branch:
        """A root branch, or a child of ``parent`` that points at its head (or at ``at``, a transaction of its history).

        Raises BranchExistsError, BranchNotFoundError, TransactionNotFoundError.
        """
        with self.catalog.writing() as connection:
            ledger.lock(connection, dataset.rid)
            if ledger.branch(connection, dataset.rid, name) is not None:
                raise BranchExistsError(dataset.path, name)
            head: str | None = None
            if parent is not None:
                head = self._branch(connection, dataset, parent).head
                if at is not None:
                    if at not in {x.rid for x in ledger.chain(connection, head, whole=True)}:
                        raise TransactionNotFoundError(dataset.path, parent, at)
                    head = at
            return ledger.add_branch(connection, dataset.rid, name, parent, head, self.clock())

    def delete_branch(self, dataset: Dataset, name: str) -> None:
        """Removes the pointer; transactions stay, children go to the deleted branch's parent.

        Raises BranchNotFoundError, BranchProtectedError, TransactionOpenError.
        """
        with self.catalog.writing() as connection:
            ledger.lock(connection, dataset.rid)
            branch = self._branch(connection, dataset, name)
            if branch.protected:
                raise BranchProtectedError(dataset.path, name, "deleting it")
            self.refuse_open(connection, dataset, branch.name)
            of_dataset = t.branches.c.dataset_rid == dataset.rid
            children = of_dataset & (t.branches.c.parent == name)
            connection.execute(t.branches.update().where(children).values(parent=branch.parent))
            connection.execute(t.branches.delete().where(of_dataset & (t.branches.c.name == name)))

    def protect_branch(self, dataset: Dataset, name: str, protected: bool = True) -> None:
        """Marks a branch as not to be deleted or rolled back, or takes the mark away. Raises BranchNotFoundError."""
        with self.catalog.writing() as connection:
            self._branch(connection, dataset, name)
            of_branch = (t.branches.c.dataset_rid == dataset.rid) & (t.branches.c.name == name)
            connection.execute(t.branches.update().where(of_branch).values(protected=protected))

    def open_transaction(
        self,
        dataset: Dataset,
        branch: str,
        type: TransactionType,
        *,
        fallbacks: Sequence[str] = (),
    ) -> OpenTransaction:
        """Opens the branch's one transaction; a missing branch is made from the first existing fallback, else a root.

        A transaction left open by a process that has died is aborted first. Raises TransactionOpenError.
        """
        abandoned: str | None = None
        with self.catalog.writing() as connection:
            ledger.lock(connection, dataset.rid)
            found = ledger.branch(connection, dataset.rid, branch)
            if found is None:
                parent = next((b for f in fallbacks if (b := ledger.branch(connection, dataset.rid, f))), None)
                parent_name = parent.name if parent else None
                # A build need not wait for what is being written on another branch.
                head = ledger.committed(connection, parent.head) if parent else None
                found = ledger.add_branch(connection, dataset.rid, branch, parent_name, head, self.clock())
            head = found.head
            current = ledger.transaction(connection, head) if head else None
            if current is not None and current.status is TransactionStatus.OPEN:
                if not owners.is_dead(current.owner):
                    raise self._open_error(dataset, branch, current)
                abandoned, head = current.rid, current.parent
                self._abort(connection, dataset.rid, current)
            record = self._begin(connection, dataset, branch, type, head)
            parent_record = ledger.transaction(connection, head) if head else None
        if abandoned is not None:
            self.storage.discard(dataset.rid, abandoned)
        return OpenTransaction(self, dataset, record, parent_record, type)

    def commit(
        self, transactions: Sequence[OpenTransaction], within: Callable[[Connection], None] | None = None
    ) -> list[Transaction]:
        """Commits all of them, and what ``within`` writes, in one SQL transaction: all or nothing.

        Raises AppendOverwritesError, SchemaMismatchError, TransactionStateError; the transactions are then still open.
        """
        writers = [transaction.prepare() for transaction in transactions]
        with self.catalog.writing() as connection:
            committed = [write(connection) for write in writers]
            if within is not None:
                within(connection)
        for transaction in transactions:
            self.storage.clean(transaction.rid)
        return committed

    def abort(self, dataset_rid: str, rid: str) -> None:
        """Aborts an open transaction; one that is closed already is left alone."""
        with self.catalog.reading() as connection:
            found = ledger.transaction(connection, rid)
        if found is None or found.status is not TransactionStatus.OPEN:
            return
        # Files first: on a full disk the catalog needs the room they take.
        self.storage.discard(dataset_rid, rid)
        with self.catalog.writing() as connection:
            ledger.lock(connection, dataset_rid)
            self._abort(connection, dataset_rid, found)

    def abort_abandoned(self) -> tuple[Transaction, ...]:
        """Aborts every transaction whose process has died, and tells which."""
        with self.catalog.reading() as connection:
            dead = [x for x in ledger.open_transactions(connection) if owners.is_dead(x.owner)]
        for transaction in dead:
            self.abort(transaction.dataset_rid, transaction.rid)
        return tuple(dead)

    @contextlib.contextmanager
    def transaction(
        self,
        dataset: Dataset,
        branch: str,
        type: TransactionType,
        *,
        fallbacks: Sequence[str] = (),
    ) -> Iterator[OpenTransaction]:
        """``with`` form: commits at the end of the block, aborts when it raises."""
        opened = self.open_transaction(dataset, branch, type, fallbacks=fallbacks)
        try:
            yield opened
            opened.commit()
        except BaseException:
            # A catalog that cannot be written now keeps the transaction open; the next process finds its owner dead.
            with contextlib.suppress(StorageUnwritableError, CatalogBusyError):
                opened.abort()
            raise

    def _mapped_rid(self, path: str) -> str:
        mapped = next((rid for rid, target in self.rids.items() if target == path and rid.startswith("ri.")), None)
        return mapped or ids.dataset_rid(path)

    def refuse_open(self, connection: Connection, dataset: Dataset, name: str) -> None:
        """Raises BranchNotFoundError, and TransactionOpenError while somebody writes to the branch."""
        branch = self._branch(connection, dataset, name)
        head = ledger.transaction(connection, branch.head) if branch.head else None
        if head is not None and head.status is TransactionStatus.OPEN and head.branch == branch.name:
            raise self._open_error(dataset, branch.name, head)

    @staticmethod
    def _open_error(dataset: Dataset, branch: str, held: Transaction) -> TransactionOpenError:
        holder = f"process {owners.pid_of(held.owner)}"
        return TransactionOpenError(
            dataset.path, branch, held.rid, holder, held.opened_at.isoformat(timespec="seconds")
        )

    def _begin(
        self, connection: Connection, dataset: Dataset, branch: str, kind: TransactionType, parent: str | None
    ) -> Transaction:
        sequence = ledger.next_sequence(connection, dataset.rid)
        record = Transaction(
            rid=ids.transaction_rid(dataset.rid, sequence),
            dataset_rid=dataset.rid,
            branch=branch,
            sequence=sequence,
            parent=parent,
            type=kind,
            status=TransactionStatus.OPEN,
            opened_at=self.clock(),
            closed_at=None,
            owner=owners.this_process(),
        )
        connection.execute(t.transactions.insert().values(**vars(record)))
        of_branch = (t.branches.c.dataset_rid == dataset.rid) & (t.branches.c.name == branch)
        connection.execute(t.branches.update().where(of_branch).values(head=record.rid))
        return record

    def _abort(self, connection: Connection, dataset_rid: str, found: Transaction) -> None:
        if ledger.close(connection, found.rid, TransactionStatus.ABORTED, self.clock()):
            ledger.point_heads(connection, dataset_rid, found.rid, found.parent)


__all__ = ["DEFAULT_BRANCH", "DatasetStore"]
