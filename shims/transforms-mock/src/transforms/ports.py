"""The narrow ports between the declarations of this package and whatever stores data underneath.

Two implementations exist: the platform's (transactions on branches) and the in-memory one of
``transforms.verbs.testing``. The rules that Foundry's objects enforce on top (no ``set_mode`` after a write, cached
frames, mode names) live in ``transforms.api``; a port only carries out what it is told.

Contract of every port
* It pickles with cloudpickle and holds no Spark handle when pickled: user code captures inputs and file systems in
  closures that run in Python workers.
* ``mode`` is one of :data:`READ_MODES`; on a run that is not incremental ``added`` equals ``current`` and ``previous``
  is empty.
* A write port that was pickled into a worker stages files for the same transaction as the original.
* Logical paths use ``/``, are relative to the dataset's root and never leave it.
* A port never commits and never aborts a job; the runner that made it does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, Protocol, runtime_checkable

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType

READ_MODES = ("current", "previous", "added")
WRITE_MODES = ("replace", "modify", "append")


@dataclass(frozen=True)
class FileEntry:
    """One file of a view.

    Attributes:
        path: logical path inside the dataset, no leading slash.
        size: bytes.
        modified: milliseconds since the epoch.
        location: where the bytes lie: an absolute local path or a URL that fsspec and Hadoop open.
    """

    path: str
    size: int
    modified: int
    location: str


@dataclass(frozen=True)
class WriteOptions:
    """What ``write_dataframe`` was asked for, validated by ``transforms.api`` before it arrives here."""

    output_format: str = "parquet"
    partition_cols: tuple[str, ...] = ()
    bucket_cols: tuple[str, ...] = ()
    bucket_count: int | None = None
    sort_by: tuple[str, ...] = ()
    options: Mapping[str, str] = field(default_factory=dict)
    column_descriptions: Mapping[str, str] = field(default_factory=dict)
    column_typeclasses: Mapping[str, Sequence[Mapping[str, str]]] = field(default_factory=dict)


@runtime_checkable
class ReadPort(Protocol):
    """One dataset as one job sees it."""

    @property
    def rid(self) -> str: ...
    @property
    def path(self) -> str: ...
    @property
    def branch(self) -> str: ...
    @property
    def start_transaction_rid(self) -> str | None: ...
    @property
    def end_transaction_rid(self) -> str | None: ...
    @property
    def column_descriptions(self) -> Mapping[str, str]: ...
    @property
    def column_typeclasses(self) -> Mapping[str, Sequence[Mapping[str, str]]]: ...

    def schema(self, mode: str = "current") -> StructType | None:
        """The stored schema of that part of the dataset, all columns nullable; ``None`` for raw files or no data."""

    def dataframe(self, spark: SparkSession, mode: str = "current") -> DataFrame:
        """The rows. Raises a typed error naming the dataset when there is no view or no schema."""

    def reader(self, mode: str = "current") -> tuple[str, Mapping[str, str]]:
        """Spark's format and reader options for the files of rows, so that readers without Spark parse them alike;
        ``("parquet", {})`` where there is no schema."""

    def files(self, mode: str = "current") -> Sequence[FileEntry]:
        """The files, ordered by logical path, hidden ones included. Empty where there is nothing."""

    def open(self, path: str, mode: str = "r", *, read_mode: str = "current", **kwargs: Any) -> IO[Any]:
        """A stream over one file (``io.open`` keywords). Raises ``FileNotFoundError`` naming dataset and path."""

    def directory(self, mode: str = "current") -> str:
        """A URI without trailing slash under which every file of the view opens by its logical path (for Spark
        readers).
        """

    def local_directory(self, mode: str = "current") -> str:
        """The same as a folder of this machine, for code that reads without Spark."""


@runtime_checkable
class WritePort(ReadPort, Protocol):
    """One output inside its open transaction. Reads see the dataset as it was when the job started, plus own writes in
    mode ``current`` (see the table in the fact sheet, section 9.5)."""

    @property
    def transaction_rid(self) -> str: ...
    @property
    def mode(self) -> str:
        """The write mode in force: one of :data:`WRITE_MODES`."""

    def set_mode(self, mode: str) -> None: ...

    def write_dataframe(self, df: DataFrame, options: WriteOptions) -> None:
        """Stages the rows and their schema; nothing is visible to others before the job commits."""

    def write_files(self, directory: str, column_descriptions: Mapping[str, str] | None = None) -> None:
        """Stages a copy of every file below a local directory under its relative path and infers the schema from the
        Parquet footers of everything staged. An empty directory stages nothing new and only infers."""

    def create(self, path: str, mode: str = "w", **kwargs: Any) -> IO[Any]:
        """A stream that stages one file. Raises ``FileExistsError`` in mode ``append`` when the view holds that
        path.
        """

    def abort(self) -> None:
        """Forget everything staged, before and after; the job itself still succeeds."""
