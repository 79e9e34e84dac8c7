"""The ports of ``transforms`` over views and open transactions. Plain data: they travel to Python workers."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from mirror.datasets.errors import NoViewError
from mirror.datasets.records import StoredSchema, View
from mirror.datasets.storage import Storage, StoredEntry, open_stream, translated
from mirror.datasets.storage.names import scratch_of
from transforms.ports import FileEntry

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType


@dataclass(frozen=True)
class Selection:
    """The part of a dataset that one read mode shows."""

    files: tuple[FileEntry, ...]
    schema: StoredSchema | None
    exists: bool = True

    @classmethod
    def of(cls, view: View) -> Selection:
        """A whole view."""
        return cls(view.entries, view.schema, bool(view.transactions))


@dataclass(frozen=True)
class DatasetReadPort:
    """One input of one job (``transforms.ports.ReadPort``).

    Attributes:
        selections: read mode -> what it shows; made by :func:`whole_input` or :func:`incremental_input`.
    """

    rid: str
    path: str
    branch: str
    start_transaction_rid: str | None
    end_transaction_rid: str | None
    selections: Mapping[str, Selection]
    storage: Storage

    @property
    def column_descriptions(self) -> Mapping[str, str]:
        """Descriptions stored with the schema of the current view."""
        schema = self.selections["current"].schema
        return {} if schema is None else schema.column_descriptions

    @property
    def column_typeclasses(self) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """Type classes stored with the schema of the current view."""
        schema = self.selections["current"].schema
        return {} if schema is None else schema.column_typeclasses

    def schema(self, mode: str = "current") -> StructType | None:
        """The stored schema of that part of the dataset, or ``None`` for raw files or no data."""
        stored = self.selections[mode].schema
        if stored is None:
            return None
        from mirror.datasets.frames import spark_schema

        return spark_schema(stored)

    def dataframe(self, spark: SparkSession, mode: str = "current") -> DataFrame:
        """The rows. Raises NoViewError, NoSchemaError."""
        from mirror.datasets.frames import read_frame

        selection = self.selections[mode]
        if not selection.exists:
            raise NoViewError(self.path, self.branch)
        return read_frame(spark, self.path, self.branch, selection.files, selection.schema)

    def reader(self, mode: str = "current") -> tuple[str, Mapping[str, str]]:
        """Format and options with which Spark reads that part."""
        stored = self.selections[mode].schema
        return ("parquet", {}) if stored is None else (stored.format, stored.options)

    def files(self, mode: str = "current") -> Sequence[FileEntry]:
        """The files, ordered by logical path, hidden ones included."""
        return self.selections[mode].files

    def open(self, path: str, mode: str = "r", *, read_mode: str = "current", **kwargs: Any) -> IO[Any]:
        """A stream over one file. Raises FileNotFoundError naming dataset and path."""
        return open_entry(self.path, self.files(read_mode), path, mode, kwargs)

    def directory(self, mode: str = "current") -> str:
        """Spark's name of a folder under which every file of that part opens by its logical path."""
        return directory_of(self.storage, self.files(mode))

    def local_directory(self, mode: str = "current") -> str:
        """The same as a local folder; files of a URL are fetched once."""
        return local_directory_of(self.storage, self.files(mode))


def whole_input(view: View, storage: Storage) -> DatasetReadPort:
    """An input of a run that is not incremental: ``added`` is everything, ``previous`` has the columns and no rows."""
    everything = Selection.of(view)
    nothing = replace(everything, files=())
    selections = {"current": everything, "added": everything, "previous": nothing}
    return _input(view, storage, selections)


def incremental_input(view: View, previous: View, storage: Storage) -> DatasetReadPort:
    """An input of an incremental run: ``previous`` as of the last run, ``added`` what came since."""
    seen = {(f.path, f.location) for f in previous.files}
    added = tuple(
        entry for file, entry in zip(view.files, view.entries, strict=True) if (file.path, file.location) not in seen
    )
    current = Selection.of(view)
    selections = {"current": current, "added": replace(current, files=added), "previous": Selection.of(previous)}
    return _input(view, storage, selections)


def _input(view: View, storage: Storage, selections: Mapping[str, Selection]) -> DatasetReadPort:
    return DatasetReadPort(
        rid=view.dataset.rid,
        path=view.dataset.path,
        branch=view.branch,
        start_transaction_rid=view.start_rid,
        end_transaction_rid=view.end_rid,
        selections=selections,
        storage=storage,
    )


def open_entry(dataset: str, files: Sequence[FileEntry], path: str, mode: str, options: Mapping[str, Any]) -> IO[Any]:
    """Opens one of ``files`` for reading. Raises FileNotFoundError, ValueError for a writing mode."""
    if set(mode) - set("rbt"):
        raise ValueError(f"dataset {dataset!r} is open for reading only, not with mode {mode!r}")
    for entry in files:
        if entry.path == path:
            return open_stream(entry, mode, **_text_options(mode, options))
    raise FileNotFoundError(f"dataset {dataset!r} holds no file {path!r} in this view")


def _text_options(mode: str, options: Mapping[str, Any]) -> dict[str, Any]:
    return dict(options) if "b" in mode else {"encoding": "utf-8", **options}


def directory_of(storage: Storage, files: Sequence[FileEntry]) -> str:
    """Spark's name of one folder that shows ``files`` under their logical paths."""
    whole = _own_folder(storage, files)
    return storage.view_folder(_places(storage, files)) if whole is None else storage.spark_name(whole)


def local_directory_of(storage: Storage, files: Sequence[FileEntry]) -> str:
    """The same as a local folder."""
    local = not any(isinstance(f, StoredEntry) and not f.location.startswith("/") for f in files)
    if local and (whole := _own_folder(storage, files)) is not None:
        return f"{storage.root}/{whole}"
    return str(storage.local_folder(_places(storage, files)))


def _places(storage: Storage, files: Sequence[FileEntry]) -> dict[str, str]:
    start = len(storage.root) + 1
    return {f.path: f.location[start:] for f in files}


def _own_folder(storage: Storage, files: Sequence[FileEntry]) -> str | None:
    """The location of a transaction's own folder where that shows exactly ``files``."""
    if not files:
        return None
    first = _places(storage, files[:1])[files[0].path]
    folder = first.removesuffix("/" + files[0].path)
    if folder == first or any(f.location != f"{storage.root}/{folder}/{f.path}" for f in files):
        return None
    return folder if len(storage.listing(folder)) == len(files) else None


@dataclass
class StagedStream:
    """Where a stream of one staged file ends up when it is closed."""

    temporary: Path
    location: str
    storage: Storage

    def finish(self) -> None:
        """Moves the file into place."""
        self.storage.place(self.temporary, self.location)


@dataclass(frozen=True)
class StagedFiles:
    """Creates single files in an open transaction, from any process."""

    storage: Storage
    dataset_rid: str
    dataset_path: str
    transaction_rid: str
    held: frozenset[str] = field(default_factory=frozenset)

    def create(self, path: str, mode: str, append_only: bool, options: Mapping[str, Any]) -> IO[Any]:
        """A stream that stages ``path`` when closed. Raises FileExistsError (append only), PathEscapesRootError."""
        if set(mode) - set("wbtx") or not set(mode) & set("wx"):
            raise ValueError(f"output {self.dataset_path!r} creates files with mode 'w' or 'wb', not {mode!r}")
        location = self.storage.target(self.dataset_rid, self.transaction_rid, path)
        if append_only and path in self.held:
            raise FileExistsError(
                f"dataset {self.dataset_path!r} already holds {path!r} and this output only appends; take another name"
            )
        temporary = self.storage.temporary(scratch_of(self.transaction_rid))
        return _staging_stream(StagedStream(temporary, location, self.storage), mode.replace("x", "w"), options)


def _staging_stream(staged: StagedStream, mode: str, options: Mapping[str, Any]) -> IO[Any]:
    class _Raw(io.FileIO):
        def close(self) -> None:
            if self.closed:
                return
            super().close()
            staged.finish()

    with translated(staged.temporary):
        binary = io.BufferedWriter(_Raw(staged.temporary, "w"))
    if "b" in mode:
        return binary
    allowed = {k: v for k, v in options.items() if k in ("encoding", "errors", "newline")}
    return io.TextIOWrapper(binary, **{"encoding": "utf-8", **allowed})
