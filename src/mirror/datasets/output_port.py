"""An output of one job inside its open transaction (``transforms.ports.WritePort``)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any
from weakref import WeakSet

from mirror.datasets import schema as schemas
from mirror.datasets.errors import NoViewError, PathEscapesRootError, UnreadableDataError
from mirror.datasets.ports import Selection, StagedFiles, directory_of, local_directory_of, open_entry
from mirror.datasets.records import StoredSchema, Transaction, TransactionType, is_hidden
from mirror.datasets.storage import Storage, opened, translated
from mirror.datasets.storage.names import folder_of, scratch_of
from transforms.ports import FileEntry, WriteOptions

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

    from mirror.datasets.transaction import OpenTransaction

_TYPE_OF_MODE = {
    "replace": TransactionType.SNAPSHOT,
    "modify": TransactionType.UPDATE,
    "append": TransactionType.APPEND,
}
_MODE_OF_TYPE = {kind: mode for mode, kind in _TYPE_OF_MODE.items()}
_PART = re.compile(r"part-(\d+)(?:-[0-9a-f-]{36})?(?:[-.]c\d+)?(\..*)?")
# Options that only steer the writer and mean nothing, or something else, to a reader.
_WRITER_ONLY = frozenset({"compression", "maxrecordsperfile", "noho", "partitionoverwritemode"})


class DatasetWritePort:
    """Stages rows and files; committing is the runner's business.

    Pickles without its transaction: in a Python worker it reads and creates files, and refuses what needs the driver.
    """

    def __init__(self, transaction: OpenTransaction, *, incremental: bool = False) -> None:
        self._transaction: OpenTransaction | None = transaction
        base = transaction.base
        self.rid = transaction.dataset.rid
        self.path = transaction.dataset.path
        self.branch = transaction.record.branch
        self.start_transaction_rid = base.start_rid
        self.end_transaction_rid = base.end_rid
        self.transaction_rid = transaction.rid
        self.aborted = False
        self._mode = _MODE_OF_TYPE[transaction.type]
        self._storage: Storage = transaction.storage
        whole = Selection.of(base)
        self._previous = whole if incremental else Selection((), whole.schema, exists=whole.exists)
        self._base = whole
        self._incremental = incremental
        self._written: StoredSchema | None = None
        self._writes = 0
        self._sequence = transaction.record.sequence
        self._modified = int(transaction.record.opened_at.timestamp() * 1000)
        held = frozenset(f.path for f in base.files)
        self._files = StagedFiles(self._storage, self.rid, self.path, self.transaction_rid, held)
        self._streams: WeakSet[IO[Any]] | None = WeakSet()

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_transaction": None, "_streams": None}

    @property
    def mode(self) -> str:
        """The write mode in force."""
        return self._mode

    @property
    def written(self) -> bool:
        """Whether anything was staged."""
        self._close_streams()
        return self._writes > 0 or bool(self._storage.staged(self.rid, self.transaction_rid))

    def set_mode(self, mode: str) -> None:
        """Changes the kind of transaction that will be committed."""
        self._mode = mode
        self._driver("set_mode").type = _TYPE_OF_MODE[mode]

    @property
    def column_descriptions(self) -> Mapping[str, str]:
        """Descriptions of what was written, else of the dataset as it was."""
        schema = self._written or self._base.schema
        return {} if schema is None else schema.column_descriptions

    @property
    def column_typeclasses(self) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """Type classes of what was written, else of the dataset as it was."""
        schema = self._written or self._base.schema
        return {} if schema is None else schema.column_typeclasses

    def selection(self, mode: str = "current") -> Selection:
        """What a read mode shows (transforms fact sheet, section 9.5). Own writes hide older files of the same path."""
        if mode == "previous":
            return self._previous
        own = tuple(
            self._storage.entry(logical, file.size, self._modified, file.location)
            for logical, file in self._storage.staged(self.rid, self.transaction_rid)
        )
        schema = self._written
        if mode == "added":
            return Selection(own, schema or self._base.schema)
        if self._mode == "replace":
            if not own and not self._writes:
                return self._base
            return Selection(own, schema)
        if schema is None:
            schema = self._base.schema
        elif self._base.schema is not None:
            schema = schemas.extended(self._base.schema, schema)
        mine = {entry.path for entry in own}
        kept = tuple(entry for entry in self._base.files if entry.path not in mine)
        return Selection(tuple(sorted([*kept, *own], key=lambda entry: entry.path)), schema)

    def outcome(self) -> Selection:
        """What the view would be after a commit now: what the checks judge."""
        self._close_streams()
        if self._mode == "replace":
            return Selection(self.selection("added").files, self._written)
        return self.selection("current")

    def schema(self, mode: str = "current") -> StructType | None:
        """The schema of that part."""
        stored = self.selection(mode).schema
        if stored is None:
            return None
        from mirror.datasets.frames import spark_schema

        return spark_schema(stored)

    def dataframe(self, spark: SparkSession, mode: str = "current") -> DataFrame:
        """The rows of that part. Raises NoViewError, NoSchemaError."""
        from mirror.datasets.frames import read_frame

        selection = self.selection(mode)
        if not selection.exists and selection.schema is None:
            raise NoViewError(self.path, self.branch)
        return read_frame(spark, self.path, self.branch, selection.files, selection.schema)

    def reader(self, mode: str = "current") -> tuple[str, Mapping[str, str]]:
        """Format and options with which Spark reads that part."""
        stored = self.selection(mode).schema
        return ("parquet", {}) if stored is None else (stored.format, stored.options)

    def files(self, mode: str = "current") -> Sequence[FileEntry]:
        """The files of that part, ordered by logical path."""
        return self.selection(mode).files

    def open(self, path: str, mode: str = "r", *, read_mode: str = "current", **kwargs: Any) -> IO[Any]:
        """A stream over one file of that part."""
        return open_entry(self.path, self.files(read_mode), path, mode, kwargs)

    def directory(self, mode: str = "current") -> str:
        """Spark's name of a folder: that of this transaction's own files for ``current``, where what Spark writes below
        becomes part of it; else one that shows the files of that part, which nobody may write to.
        """
        if mode == "current" or not self._incremental:
            # Folders that show older files are shared with their readers, or are those of committed transactions.
            return self._storage.spark_name(folder_of(self.rid, self.transaction_rid))
        return directory_of(self._storage, self.files(mode))

    def local_directory(self, mode: str = "current") -> str:
        """The same as a local folder; files of a URL are fetched once."""
        return local_directory_of(self._storage, self.files(mode))

    def create(self, path: str, mode: str = "w", **kwargs: Any) -> IO[Any]:
        """A stream that stages one file when it is closed; works in Python workers too."""
        stream = self._files.create(path, mode, self._mode == "append", kwargs)
        if self._streams is not None:
            self._streams.add(stream)
        return stream

    def _close_streams(self) -> None:
        """A stream that the transform left open holds a file that only closing stages."""
        for stream in list(self._streams or ()):
            stream.close()

    def commit(self) -> Transaction:
        """Commits on its own; in a build the runner commits all outputs of a job together instead."""
        self._close_streams()
        return self._driver("commit").commit()

    def abort(self) -> None:
        """Forgets everything staged; the runner aborts the transaction instead of committing it."""
        self.aborted = True
        self._storage.discard(self.rid, self.transaction_rid)

    def write_dataframe(self, df: DataFrame, options: WriteOptions) -> None:
        """Stages rows and their schema. Part files are named by the transaction, so same rows give same names."""
        transaction = self._driver("write_dataframe")
        frame = df
        if options.bucket_cols and options.bucket_count:
            # Spark places rows by the same hash when it buckets a table.
            frame = frame.repartition(options.bucket_count, *options.bucket_cols)
        if options.sort_by:
            frame = frame.sortWithinPartitions(*options.sort_by)
        scratch = f"{scratch_of(self.transaction_rid)}/write-{self._writes}"
        place = self._storage.spark_name(scratch)
        writer = frame.write.format(options.output_format).options(**options.options)
        if options.partition_cols:
            writer = writer.partitionBy(*options.partition_cols)
        with _disk_errors(place):
            writer.save(place)
        moves = []
        for file in self._storage.listing(scratch):
            folder, name = file.location[len(scratch) + 1 :].rpartition("/")[::2]
            if (part := _PART.fullmatch(name)) is not None:
                name = f"part-{self._sequence:05d}-{self._writes}-{int(part[1]):05d}{part[2] or ''}"
                moves.append((file.location, f"{folder}/{name}" if folder else name))
        self._storage.each(lambda move: transaction.adopt(*move), moves)
        self._remember(_schema_of(df, options))

    def write_files(self, directory: str, column_descriptions: Mapping[str, str] | None = None) -> None:
        """Stages every file below a local folder; the footers of all staged Parquet files give the schema."""
        transaction = self._driver("write_files")
        root = Path(directory).resolve()
        logical: list[tuple[str, Path]] = []
        for file in sorted(p for p in root.rglob("*") if not p.is_dir()):
            if not file.resolve().is_relative_to(root):
                raise PathEscapesRootError(str(file), directory)
            logical.append((file.relative_to(root).as_posix(), file))
        for path, file in logical:
            transaction.add(file, path)
        schema = _schema_of_files(self.path, self.selection("added").files)
        if schema is not None and column_descriptions:
            schema = replace(schema, column_descriptions=dict(column_descriptions))
        self._remember(schema)

    def _remember(self, schema: StoredSchema | None) -> None:
        self._writes += 1
        if schema is None:
            return
        self._written = schema if self._written is None else schemas.extended(self._written, schema)
        self._driver("write").schema = self._written

    def _driver(self, what: str) -> OpenTransaction:
        if self._transaction is None:
            raise RuntimeError(
                f"{what} of output {self.path!r} was called in a Python worker; call it in the transform itself"
            )
        return self._transaction


def _schema_of(df: DataFrame, options: WriteOptions) -> StoredSchema:
    fields = schemas.nullable(json.loads(df.schema.json()))
    inside = [f for f in fields["fields"] if f["name"] not in options.partition_cols]
    outside = [f for name in options.partition_cols for f in fields["fields"] if f["name"] == name]
    layout: dict[str, Any] = {}
    if options.bucket_cols:
        layout["bucket_cols"], layout["bucket_count"] = list(options.bucket_cols), options.bucket_count
    if options.sort_by:
        layout["sort_by"] = list(options.sort_by)
    return StoredSchema(
        format=options.output_format,
        fields={"type": "struct", "fields": [*inside, *outside]},
        options={k: str(v) for k, v in options.options.items() if k.lower() not in _WRITER_ONLY},
        path_columns=tuple(options.partition_cols),
        column_descriptions=dict(options.column_descriptions),
        column_typeclasses={k: [dict(x) for x in v] for k, v in options.column_typeclasses.items()},
        layout=layout,
    )


def _schema_of_files(dataset: str, files: Sequence[FileEntry]) -> StoredSchema | None:
    import pyarrow as pa

    visible = [file for file in files if not is_hidden(file.path)]
    if not visible or not all(file.path.endswith(".parquet") for file in visible):
        return None
    merged: StoredSchema | None = None
    names = schemas.path_columns_of([file.path for file in visible])
    for file in visible:
        try:
            with opened(file) as source:
                fields, _ = schemas.fields_of_parquet(source)
        except (pa.ArrowInvalid, OSError, ValueError) as error:
            raise UnreadableDataError(dataset, file.path, str(error)) from error
        inside = {f["name"] for f in fields["fields"]}
        outside = tuple(name for name in names if name not in inside)
        extra = [{"name": name, "type": "string", "nullable": True, "metadata": {}} for name in outside]
        one = StoredSchema("parquet", {"type": "struct", "fields": [*fields["fields"], *extra]}, path_columns=outside)
        merged = one if merged is None else schemas.extended(merged, one)
    return merged


def _disk_errors(scratch: str) -> Any:
    """A full disk met inside the JVM arrives as its exception; it is told as what it is."""
    import contextlib

    from mirror.datasets.errors import StorageUnwritableError

    @contextlib.contextmanager
    def watch() -> Any:
        from mirror.datasets.frames import reachable

        with translated(scratch), reachable(scratch):
            try:
                yield
            except Exception as error:
                text = str(error)
                for sign in ("No space left on device", "Read-only file system"):
                    if sign in text:
                        raise StorageUnwritableError(scratch, sign) from error
                raise

    return watch()
