"""What can be asked of a store: datasets by name, branches, views, history. Nothing here changes anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from mirror.clock import Clock, system_clock
from mirror.datasets import ids, ledger
from mirror.datasets import tables as t
from mirror.datasets.catalog import Catalog
from mirror.datasets.errors import (
    AmbiguousDatasetError,
    BranchNotFoundError,
    DatasetNotFoundError,
    NoViewError,
    TransactionNotFoundError,
    TransactionSweptError,
)
from mirror.datasets.records import Branch, Dataset, StoredSchema, Transaction, TransactionStatus, View
from mirror.datasets.storage import Storage

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession

DEFAULT_BRANCH = "master"


class DatasetReader:
    """The reading half of a store.

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

    def branches(self, dataset: Dataset) -> tuple[Branch, ...]:
        """The branches of a dataset, oldest first."""
        with self.catalog.reading() as connection:
            return tuple(ledger.branches(connection, dataset.rid))

    def resolve_branch(self, dataset: Dataset, branch: str, fallbacks: Sequence[str] = ()) -> Branch | None:
        """The first of ``branch`` and ``fallbacks`` that exists on the dataset."""
        by_name = {b.name: b for b in self.branches(dataset)}
        return next((by_name[name] for name in (branch, *fallbacks) if name in by_name), None)

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

    def view_until(self, dataset: Dataset, branch: str, end: str | None, *, without_swept: bool = False) -> View:
        """The view that ends with a transaction which is known to be in the branch's history; not checked again.

        Raises TransactionSweptError where retention swept some of its files, or leaves them out (``without_swept``).
        """
        with self.catalog.reading() as connection:
            return self._view(connection, dataset, branch, end, without_swept=without_swept)

    def chain_until(self, end: str | None) -> tuple[Transaction, ...]:
        """The transactions of :meth:`view_until`, oldest first, without its files."""
        with self.catalog.reading() as connection:
            return tuple(ledger.chain(connection, end))

    def schema_of(self, transaction: Transaction | None) -> StoredSchema | None:
        """The schema that a transaction left its view with."""
        if transaction is None:
            return None
        with self.catalog.reading() as connection:
            return ledger.schema(connection, transaction.schema_key)

    def mentioned(self, end: str | None, paths: Sequence[str]) -> bool:
        """Whether any transaction of the view that ends with ``end`` names one of the paths at all."""
        with self.catalog.reading() as connection:
            return ledger.mentioned(connection, end, paths)

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
            held = {f.path for f in ledger.effective(connection, ledger.chain(connection, since))}
            return frozenset(f.transaction_rid for f in ledger.files_of(connection, later) if f.path in held)

    def history(self, dataset: Dataset, branch: str = DEFAULT_BRANCH) -> tuple[Transaction, ...]:
        """Everything that led to the branch's present state plus what was aborted, rolled back or is open on it, oldest
        first. Raises BranchNotFoundError.
        """
        with self.catalog.reading() as connection:
            return self.history_within(connection, dataset, branch)

    def history_within(self, connection: Connection, dataset: Dataset, branch: str) -> tuple[Transaction, ...]:
        """:meth:`history` inside the caller's SQL transaction."""
        found = self._branch(connection, dataset, branch)
        everything = {x.rid: x for x in ledger.chain(connection, found.head, whole=True)}
        everything.update((x.rid, x) for x in ledger.on_branch(connection, dataset.rid, branch))
        return tuple(sorted(everything.values(), key=lambda x: x.sequence))

    def rolled_back(self, dataset: Dataset, branch: str = DEFAULT_BRANCH) -> frozenset[str]:
        """RIDs of the transactions that were committed on the branch and are no part of it any more.

        Those of an earlier, deleted branch of the same name are not meant. Raises BranchNotFoundError.
        """
        with self.catalog.reading() as connection:
            found = self._branch(connection, dataset, branch)
            kept = {x.rid for x in ledger.chain(connection, found.head, whole=True)}
            of_branch = (t.branches.c.dataset_rid == dataset.rid) & (t.branches.c.name == branch)
            since = connection.scalar(sa.select(t.branches.c.created_at).where(of_branch))
            return frozenset(
                x.rid
                for x in ledger.on_branch(connection, dataset.rid, branch)
                if x.status is TransactionStatus.COMMITTED and x.rid not in kept
                if since is not None and x.opened_at >= since
            )

    def parents(self, datasets: Sequence[Dataset]) -> dict[str, dict[str, str | None]]:
        """Dataset RID -> branch -> the branch it came from."""
        found: dict[str, dict[str, str | None]] = {d.rid: {} for d in datasets}
        with self.catalog.reading() as connection:
            columns = (t.branches.c.dataset_rid, t.branches.c.name, t.branches.c.parent)
            for rid, name, parent in connection.execute(sa.select(*columns)):
                if rid in found:
                    found[rid][name] = parent
        return found

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

    def _branch(self, connection: Connection, dataset: Dataset, name: str) -> Branch:
        found = ledger.branch(connection, dataset.rid, name)
        if found is None:
            known = tuple(b.name for b in ledger.branches(connection, dataset.rid))
            raise BranchNotFoundError(dataset.path, name, known)
        return found

    def _at(self, connection: Connection, dataset: Dataset, branch: Branch, at: str | datetime) -> str | None:
        past = ledger.chain(connection, branch.head, whole=True)
        if isinstance(at, datetime):
            moment = at if at.tzinfo else at.replace(tzinfo=UTC)
            before = [x for x in past if x.closed_at is not None and x.closed_at <= moment]
            return before[-1].rid if before else None
        named = [x for x in past if ids.is_named(x.rid, at) or x.rid.endswith(at)]
        if len(named) != 1:
            raise TransactionNotFoundError(dataset.path, branch.name, at)
        return named[0].rid

    def _view(
        self, connection: Connection, dataset: Dataset, branch: str, end: str | None, *, without_swept: bool = False
    ) -> View:
        chain = ledger.chain(connection, end)
        files = ledger.effective(connection, chain)
        # What a retention policy took away and swept is in no later view, so only the files that count matter.
        if gone := ledger.swept_among(connection, {f.transaction_rid for f in files}):
            if not without_swept:
                raise TransactionSweptError(dataset.path, *next(iter(gone.items())))
            files = tuple(f for f in files if f.transaction_rid not in gone)
        schema = ledger.schema(connection, chain[-1].schema_key) if chain else None
        return View(dataset, branch, tuple(chain), files, schema, self.storage)
