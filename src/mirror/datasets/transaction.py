"""An open transaction: files and a schema are staged in it, then it is committed or aborted, once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.engine import Connection

from mirror.datasets import ledger
from mirror.datasets import schema as schemas
from mirror.datasets import tables as t
from mirror.datasets.errors import (
    AppendOverwritesError,
    DeleteMissingError,
    SchemaMismatchError,
    TransactionStateError,
    UnreadableDataError,
)
from mirror.datasets.records import (
    Dataset,
    StoredFile,
    StoredSchema,
    Transaction,
    TransactionStatus,
    TransactionType,
    View,
    is_hidden,
)
from mirror.datasets.storage import Found, Storage, opened
from mirror.datasets.storage.names import scratch_of

if TYPE_CHECKING:
    from mirror.datasets.store import DatasetStore


@dataclass
class OpenTransaction:
    """The handle of one open transaction; made by ``DatasetStore.open_transaction``.

    Attributes:
        parent: the transaction before it, ``None`` for the first on a branch.
        type: may still change before the commit (``set_mode`` of a transform's output).
        schema: of the files staged here, or ``None`` for raw files.
        retention: this DELETE is a retention policy's, which incremental readers may be told to forgive.
    """

    store: DatasetStore
    dataset: Dataset
    record: Transaction
    parent: Transaction | None
    type: TransactionType
    schema: StoredSchema | None = None
    retention: bool = False
    _removed: list[str] = field(default_factory=list)
    _counted: dict[str, int] = field(default_factory=dict)
    _checksums: dict[str, str] = field(default_factory=dict)

    @cached_property
    def base(self) -> View:
        """The view when the transaction was opened; the branch cannot move until it is closed."""
        return self.store.view_until(self.dataset, self.record.branch, self.record.parent)

    @property
    def rid(self) -> str:
        """The transaction's RID."""
        return self.record.rid

    @property
    def storage(self) -> Storage:
        """The root that the files go to."""
        return self.store.storage

    def add(self, source: Path, logical: str, *, rows: int | None = None) -> None:
        """Stages a copy of a file, byte for byte. Raises PathEscapesRootError, StorageUnwritableError."""
        location = self.storage.target(self.dataset.rid, self.rid, logical)
        self._checksums[logical] = self.storage.copy_in(source, scratch_of(self.rid), location)
        if rows is not None:
            self._counted[logical] = rows

    def adopt(self, source: str, logical: str) -> None:
        """Stages a finished file of the scratch folder, given by its location, by renaming it."""
        self.storage.move(source, self.storage.target(self.dataset.rid, self.rid, logical))

    def remove(self, logical: str) -> None:
        """Takes a file out of the view (DELETE only). Raises DeleteMissingError."""
        known = tuple(f.path for f in self.base.files)
        if logical not in known:
            raise DeleteMissingError(self.dataset.path, self.record.branch, logical, known)
        self._removed.append(logical)

    def staged(self) -> tuple[StoredFile, ...]:
        """What would be committed now, checksums and row counts included."""
        modified = int(self.record.opened_at.timestamp() * 1000)

        def described(pair: tuple[str, Found]) -> StoredFile:
            logical, file = pair
            return StoredFile(
                transaction_rid=self.rid,
                path=logical,
                location=file.location,
                size=file.size,
                sha256=self._checksums.get(logical) or self.storage.sha256(file.location),
                modified=modified,
                rows=self._rows(logical, file.location),
            )

        return tuple(self.storage.each(described, self.storage.staged(self.dataset.rid, self.rid)))

    def merged_schema(self) -> StoredSchema | None:
        """The schema of the view after a commit. Raises SchemaMismatchError when the new files do not fit the old."""
        if self.type is TransactionType.SNAPSHOT:
            return self.schema
        before = self.store.schema_of(self.parent)
        if self.schema is None or before is None:
            return self.schema or before
        if found := schemas.differences(before, self.schema):
            if self.base.files:
                raise SchemaMismatchError(self.dataset.path, self.record.branch, found)
            return self.schema
        return schemas.extended(before, self.schema)

    def commit(self, within: Callable[[Connection], None] | None = None) -> Transaction:
        """Commits in one SQL transaction. ``within`` writes other rooms' rows in the same one."""
        return self.store.commit([self], within)[0]

    def prepare(self) -> Callable[[Connection], Transaction]:
        """Everything of a commit that needs no database; the result writes it down inside the caller's SQL transaction.

        Raises AppendOverwritesError, SchemaMismatchError.
        """
        files = self.staged()
        if self.type is TransactionType.APPEND and self.store.mentioned(self.record.parent, [f.path for f in files]):
            held = {f.path for f in self.base.files}
            if overwritten := tuple(f.path for f in files if f.path in held):
                raise AppendOverwritesError(self.dataset.path, self.record.branch, overwritten)
        schema = self.merged_schema()
        gone = {f.path: f for f in self.base.files} if self._removed else {}
        removed = [
            StoredFile(self.rid, path, gone[path].location, 0, gone[path].sha256, 0, None, removed=True)
            for path in self._removed
        ]

        def write(connection: Connection) -> Transaction:
            now = self.store.clock()
            if self.parent is not None and self.parent.closed_at is not None:
                now = max(now, self.parent.closed_at)
            key = None if schema is None else _keep_schema(connection, schema)
            values = {"type": self.type, "schema_key": key, "retention": self.retention}
            if not ledger.close(connection, self.rid, TransactionStatus.COMMITTED, now, **values):
                found = ledger.transaction(connection, self.rid)
                raise TransactionStateError(self.rid, found.status if found else "gone", "committed")
            ledger.add_files(connection, [*files, *removed])
            if self.type is not TransactionType.DELETE:
                ledger.settle_forced(connection, self.dataset.rid, self.record.branch)
            committed = ledger.transaction(connection, self.rid)
            assert committed is not None  # noqa: S101 - it was updated one statement ago
            return committed

        return write

    def abort(self) -> None:
        """Aborts: the branch points at its former head again, staged files are removed. Safe to repeat."""
        self.store.abort(self.dataset.rid, self.rid)

    def _rows(self, logical: str, location: str) -> int | None:
        if logical in self._counted:
            return self._counted[logical]
        if self.schema is None or self.schema.format != "parquet" or is_hidden(logical):
            return None
        import pyarrow as pa

        try:
            with opened(self.storage.entry(logical, 0, 0, location)) as source:
                return schemas.rows_of_parquet(source)
        except (pa.ArrowInvalid, OSError) as error:
            raise UnreadableDataError(self.dataset.path, logical, str(error)) from error


def _keep_schema(connection: Connection, schema: StoredSchema) -> str:
    import sqlalchemy as sa

    key = schemas.schema_key(schema)
    if connection.scalar(sa.select(t.schemas.c.key).where(t.schemas.c.key == key)) is None:
        connection.execute(t.schemas.insert().values(key=key, document=schemas.canonical(schema)))
    return key
