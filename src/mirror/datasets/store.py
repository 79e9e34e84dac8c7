"""The store: datasets by name, branches, transactions, views and history."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.clock import Clock, system_clock
from mirror.datasets import ids, ledger, owners, views
from mirror.datasets import tables as t
from mirror.datasets.catalog import Catalog
from mirror.datasets.errors import (
    AmbiguousDatasetError,
    BranchExistsError,
    BranchNotFoundError,
    BranchProtectedError,
    CatalogBusyError,
    DatasetExistsError,
    DatasetNameError,
    DatasetNotFoundError,
    NoViewError,
    StorageUnwritableError,
    TransactionNotFoundError,
    TransactionOpenError,
    TransactionSweptError,
)
from mirror.datasets.records import (
    Branch,
    Dataset,
    StoredSchema,
    Transaction,
    TransactionStatus,
    TransactionType,
    View,
)
from mirror.datasets.storage import Storage
from mirror.datasets.transaction import OpenTransaction

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DEFAULT_BRANCH = "master"


class DatasetStore:
    """Everything stored in one workspace.

    Args:
        rids: RIDs that the repository maps to paths (``transforms-shrinkwrap.yml``), and other spellings of a path.
    """

    def __init__(
        self,
        catalog: Catalog,
        storage: Storage,
        *,
        clock: Clock = system_clock,
        rids: Mapping[str, str] | None = None,
    ) -> None:
        self.catalog = catalog
        self.storage = storage
        self.clock = clock
        self.rids = dict(rids or {})

    def datasets(self) -> tuple[Dataset, ...]:
        """Every dataset, ordered by path."""
        with self.catalog.reading() as connection:
            rows = connection.execute(sa.select(t.datasets.c.rid, t.datasets.c.path).order_by(t.datasets.c.path))
            return tuple(Dataset(*row) for row in rows)

    def find(self, name: str) -> Dataset | None:
        """The dataset with exactly this path or RID, or ``None``."""
        name = self.rids.get(name, name)
        with self.catalog.reading() as connection:
            query = sa.select(t.datasets.c.rid, t.datasets.c.path)
            row = connection.execute(query.where((t.datasets.c.path == name) | (t.datasets.c.rid == name))).first()
        return None if row is None else Dataset(*row)

    def dataset(self, name: str) -> Dataset:
        """The dataset of a path, a RID, or the unique end of a path (``clean_sensor_readings``).

        Raises DatasetNotFoundError (naming the nearest), AmbiguousDatasetError.
        """
        if (found := self.find(name)) is not None:
            return found
        known = self.datasets()
        ending = [d for d in known if d.path.endswith("/" + name.lstrip("/"))]
        if len(ending) > 1:
            raise AmbiguousDatasetError(name, tuple(d.path for d in ending))
        if not ending:
            raise DatasetNotFoundError(name, tuple(d.path for d in known))
        return ending[0]

    def create(self, path: str, *, exist_ok: bool = False) -> Dataset:
        """A new dataset without branches. Raises DatasetNameError, DatasetExistsError."""
        rid, path = (path, self.rids.get(path, path)) if path.startswith("ri.") else (self._mapped_rid(path), path)
        if not path or path != path.strip() or ".." in path.split("/") or path.endswith("/"):
            raise DatasetNameError(path, "it is empty, ends with '/', has blanks at its ends or contains '..'")
        with self.catalog.writing() as connection:
            query = sa.select(t.datasets.c.rid, t.datasets.c.path)
            row = connection.execute(query.where((t.datasets.c.path == path) | (t.datasets.c.rid == rid))).first()
            if row is not None:
                if exist_ok:
                    return Dataset(*row)
                raise DatasetExistsError(path)
            connection.execute(t.datasets.insert().values(rid=rid, path=path, created_at=self.clock()))
        return Dataset(rid, path)

    def branches(self, dataset: Dataset) -> tuple[Branch, ...]:
        """The branches of a dataset, oldest first."""
        with self.catalog.reading() as connection:
            return tuple(ledger.branches(connection, dataset.rid))

    def resolve_branch(self, dataset: Dataset, branch: str, fallbacks: Sequence[str] = ()) -> Branch | None:
        """The first of ``branch`` and ``fallbacks`` that exists on the dataset."""
        by_name = {b.name: b for b in self.branches(dataset)}
        return next((by_name[name] for name in (branch, *fallbacks) if name in by_name), None)

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
                raise BranchProtectedError(dataset.path, name)
            self._refuse_open(connection, dataset, branch)
            of_dataset = t.branches.c.dataset_rid == dataset.rid
            children = of_dataset & (t.branches.c.parent == name)
            connection.execute(t.branches.update().where(children).values(parent=branch.parent))
            connection.execute(t.branches.delete().where(of_dataset & (t.branches.c.name == name)))

    def protect_branch(self, dataset: Dataset, name: str, protected: bool = True) -> None:
        """Marks a branch as not to be deleted, or takes the mark away. Raises BranchNotFoundError."""
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

    def view(
        self,
        dataset: Dataset,
        branch: str = DEFAULT_BRANCH,
        at: str | datetime | None = None,
        *,
        fallbacks: Sequence[str] = (),
    ) -> View:
        """The effective files on a branch, now or at a transaction or time of its history (inclusive).

        A dataset or branch without committed transactions gives an empty view.
        Raises BranchNotFoundError, TransactionNotFoundError.
        """
        with self.catalog.reading() as connection:
            candidates = (ledger.branch(connection, dataset.rid, name) for name in (branch, *fallbacks))
            found = next((b for b in candidates if b is not None), None)
            if found is None:
                known = tuple(b.name for b in ledger.branches(connection, dataset.rid))
                raise BranchNotFoundError(dataset.path, branch, known)
            end = found.head if at is None else self._at(connection, dataset, found, at)
            return self._view(connection, dataset, found.name, end)

    def view_until(self, dataset: Dataset, branch: str, end: str | None) -> View:
        """The view that ends with a transaction which is known to be in the branch's history; not checked again."""
        with self.catalog.reading() as connection:
            return self._view(connection, dataset, branch, end)

    def schema_of(self, transaction: Transaction | None) -> StoredSchema | None:
        """The schema that a transaction left its view with."""
        if transaction is None:
            return None
        with self.catalog.reading() as connection:
            return ledger.schema(connection, transaction.schema_key)

    def mentioned(self, end: str | None, paths: Sequence[str]) -> bool:
        """Whether any transaction of the view that ends with ``end`` names one of the paths at all."""
        with self.catalog.reading() as connection:
            return ledger.mentioned(connection, [x.rid for x in ledger.chain(connection, end)], paths)

    def replacing(self, dataset: Dataset, since: str, end: str) -> frozenset[str]:
        """RIDs of the transactions after ``since``, up to ``end``, that changed or removed files of ``since``."""
        with self.catalog.reading() as connection:
            chain = ledger.chain(connection, end)
            rids = [x.rid for x in chain]
            if since not in rids:
                return frozenset()
            later = rids[rids.index(since) + 1 :]
            if not later:
                return frozenset()
            held = {f.path for f in self._view(connection, dataset, "", since).files}
            return frozenset(f.transaction_rid for f in ledger.files_of(connection, later) if f.path in held)

    def history(self, dataset: Dataset, branch: str = DEFAULT_BRANCH) -> tuple[Transaction, ...]:
        """Everything that led to the branch's present state plus what was aborted or is open on it, oldest first.

        Raises BranchNotFoundError.
        """
        with self.catalog.reading() as connection:
            found = self._branch(connection, dataset, branch)
            everything = {x.rid: x for x in ledger.chain(connection, found.head, whole=True)}
            everything.update((x.rid, x) for x in ledger.on_branch(connection, dataset.rid, branch))
        return tuple(sorted(everything.values(), key=lambda x: x.sequence))

    def history_with_counts(
        self, dataset: Dataset, branch: str = DEFAULT_BRANCH
    ) -> tuple[tuple[Transaction, dict[str, int | None]], ...]:
        """:meth:`history` with the files and rows that each transaction brought."""
        past = self.history(dataset, branch)
        files = t.files
        counts = sa.select(
            files.c.transaction_rid,
            sa.func.count(),
            sa.func.sum(files.c.rows),
            sa.func.sum(sa.case((files.c.rows.is_(None), 1), else_=0)),
        ).group_by(files.c.transaction_rid)
        of_dataset = sa.select(t.transactions.c.rid).where(t.transactions.c.dataset_rid == dataset.rid)
        with self.catalog.reading() as connection:
            rows = connection.execute(counts.where(files.c.transaction_rid.in_(of_dataset)))
            found = {rid: (number, None if unknown else int(total)) for rid, number, total, unknown in rows}
        return tuple((x, dict(zip(("files", "rows"), found.get(x.rid, (0, 0)), strict=True))) for x in past)

    def read(self, spark: SparkSession, view: View) -> DataFrame:
        """The rows of a view. Raises NoViewError, NoSchemaError."""
        from mirror.datasets.frames import read_frame

        if not view.transactions:
            raise NoViewError(view.dataset.path, view.branch)
        return read_frame(spark, view.dataset.path, view.branch, view.entries, view.schema)

    def _mapped_rid(self, path: str) -> str:
        mapped = next((rid for rid, target in self.rids.items() if target == path and rid.startswith("ri.")), None)
        return mapped or ids.dataset_rid(path)

    def _branch(self, connection: Connection, dataset: Dataset, name: str) -> Branch:
        found = ledger.branch(connection, dataset.rid, name)
        if found is None:
            known = tuple(b.name for b in ledger.branches(connection, dataset.rid))
            raise BranchNotFoundError(dataset.path, name, known)
        return found

    def _refuse_open(self, connection: Connection, dataset: Dataset, branch: Branch) -> None:
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

    def _at(self, connection: Connection, dataset: Dataset, branch: Branch, at: str | datetime) -> str | None:
        past = ledger.chain(connection, branch.head, whole=True)
        if isinstance(at, datetime):
            moment = at if at.tzinfo else at.replace(tzinfo=UTC)
            before = [x for x in past if x.closed_at is not None and x.closed_at <= moment]
            return before[-1].rid if before else None
        named = [x for x in past if x.rid == at or x.rid.endswith(at) or ids.uuid_of(x.rid).startswith(at)]
        if len(named) != 1:
            raise TransactionNotFoundError(dataset.path, branch.name, at)
        return named[0].rid

    def _view(self, connection: Connection, dataset: Dataset, branch: str, end: str | None) -> View:
        chain = ledger.chain(connection, end)
        chain = chain[views.view_start(chain) :]
        if chain and (gone := ledger.swept_among(connection, [x.rid for x in chain])) is not None:
            raise TransactionSweptError(dataset.path, *gone)
        files = views.apply(chain, ledger.files_of(connection, [x.rid for x in chain]))
        schema = ledger.schema(connection, chain[-1].schema_key) if chain else None
        return View(dataset, branch, tuple(chain), files, schema, self.storage.root)
