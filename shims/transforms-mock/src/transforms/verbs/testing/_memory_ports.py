"""The ports over in-memory datasets: the second implementation beside a platform's."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from functools import reduce
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from transforms.api._empty import empty_frame
from transforms.errors import NoSchemaError, PathError
from transforms.ports import FileEntry, WriteOptions
from transforms.verbs.testing._parts import (
    Part,
    nullable,
    scratch_folder,
    view_files,
    view_folder,
    view_schema,
    with_replaced_files,
)

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession
    from pyspark.sql.types import StructType


def confined(dataset: str, path: str) -> str:
    """A logical path that stays below the dataset's root.

    Raises:
        PathError: it does not, or is empty.
    """
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if not parts or ".." in parts:
        raise PathError(dataset, path)
    return "/".join(parts)


class MemoryReadPort:
    """A dataset as one run sees it: parts already processed, and new ones."""

    branch = "master"

    def __init__(self, alias: str, previous: Sequence[Part] = (), added: Sequence[Part] = ()) -> None:
        self.path = alias
        self.rid = alias if alias.startswith("ri.") else f"ri.foundry.main.dataset.memory-{alias}"
        self._previous, self._added = tuple(previous), tuple(added)

    @property
    def start_transaction_rid(self) -> str | None:
        """In-memory parts are numbered from one."""
        return "ri.foundry.main.transaction.1" if (*self._previous, *self._added) else None

    @property
    def end_transaction_rid(self) -> str | None:
        """The number of the last part."""
        count = len(self._previous) + len(self._added)
        return f"ri.foundry.main.transaction.{count}" if count else None

    @property
    def column_descriptions(self) -> Mapping[str, str]:
        """Of all parts, the latest text per column."""
        found: dict[str, str] = {}
        for part in self._parts("current"):
            found.update(part.options.column_descriptions)
        return found

    @property
    def column_typeclasses(self) -> Mapping[str, Sequence[Mapping[str, str]]]:
        """Of all parts, the latest list per column."""
        found: dict[str, Sequence[Mapping[str, str]]] = {}
        for part in self._parts("current"):
            found.update(part.options.column_typeclasses)
        return found

    def _parts(self, mode: str) -> tuple[Part, ...]:
        return {
            "previous": self._previous,
            "added": self._added,
            "current": (*self._previous, *self._added),
        }[mode]

    def schema(self, mode: str = "current") -> StructType | None:
        """As the port's contract says; an empty increment keeps the columns of the whole."""
        return view_schema(self._parts(mode)) or view_schema(self._parts("current"))

    def dataframe(self, spark: SparkSession, mode: str = "current") -> DataFrame:
        """As the port's contract says.

        Raises:
            NoSchemaError: there are only raw files, or nothing at all.
        """
        frames = [frame for part in self._parts(mode) if (frame := part.frame(spark)) is not None]
        if not frames:
            schema = self.schema(mode)
            if schema is None:
                raise NoSchemaError(self.path)
            return empty_frame(spark, schema)
        return reduce(lambda left, right: left.unionByName(right, allowMissingColumns=True), frames)

    def reader(self, mode: str = "current") -> tuple[str, Mapping[str, str]]:
        """As the port's contract says: of the last part with rows."""
        for part in reversed(self._parts(mode)):
            if part.schema is not None:
                return part.options.output_format, part.options.options
        return "parquet", {}

    def files(self, mode: str = "current") -> Sequence[FileEntry]:
        """As the port's contract says."""
        return view_files(self._parts(mode))

    def open(self, path: str, mode: str = "r", *, read_mode: str = "current", **kwargs: Any) -> IO[Any]:
        """As the port's contract says."""
        wanted = confined(self.path, path)
        for part in reversed(self._parts(read_mode)):
            file = part.folder() / wanted
            if file.is_file():
                return file.open(mode, **kwargs)
        raise FileNotFoundError(f"dataset '{self.path}' has no file '{path}'")

    def directory(self, mode: str = "current") -> str:
        """As the port's contract says."""
        return view_folder(self._parts(mode))

    def local_directory(self, mode: str = "current") -> str:
        """The same: everything is local."""
        return self.directory(mode)


class MemoryWritePort(MemoryReadPort):
    """An output inside its run; :meth:`commit` gives the parts that the dataset then has."""

    def __init__(self, alias: str, before: Sequence[Part], *, incremental: bool) -> None:
        super().__init__(alias, before, ())
        self._incremental = incremental
        self.mode = "modify" if incremental else "replace"
        self.transaction_rid = f"ri.foundry.main.transaction.{len(before) + 1}"
        self._staged: list[Part] = []
        # Made now, so that threads and workers stage their files in one place.
        self._loose = Part(folder=scratch_folder())
        self._is_aborted = False

    def _written(self) -> tuple[Part, ...]:
        return (*self._staged, self._loose) if self._loose.files() else tuple(self._staged)

    def _parts(self, mode: str) -> tuple[Part, ...]:
        staged = self._written()
        if mode == "current":
            keeps = self.mode != "replace" or not staged
            return (*with_replaced_files(self._previous, self._loose), *staged) if keeps else staged
        return {"previous": self._previous if self._incremental else (), "added": staged}[mode]

    def set_mode(self, mode: str) -> None:
        """As the port's contract says."""
        self.mode = mode

    def write_dataframe(self, df: DataFrame, options: WriteOptions) -> None:
        """Writes the rows to files now, so that a failing computation fails the run."""
        if self._is_aborted:
            return
        folder = scratch_folder()
        if options.bucket_count is not None:
            df = df.repartition(options.bucket_count, *options.bucket_cols)
        if options.sort_by:
            df = df.sortWithinPartitions(*options.sort_by)
        writer = df.write.mode("overwrite").format(options.output_format).options(**dict(options.options))
        if options.partition_cols:
            writer = writer.partitionBy(*options.partition_cols)
        writer.save(str(folder))
        self._staged.append(Part(folder=folder, schema=_stored(df, options), options=options))

    def write_files(self, directory: str, column_descriptions: Mapping[str, str] | None = None) -> None:
        """As the port's contract says."""
        if self._is_aborted:
            return
        from transforms.verbs.testing._footers import parquet_schema

        found = [f for f in sorted(Path(directory).rglob("*")) if f.is_file()]
        options = WriteOptions(column_descriptions=dict(column_descriptions or {}))
        if found:
            folder = scratch_folder()
            shutil.copytree(directory, folder, dirs_exist_ok=True)
            self._staged.append(Part(folder=folder, schema=parquet_schema(folder), options=options))
        else:
            self._loose.schema = parquet_schema(self._loose.folder())
            self._loose.options = options

    def create(self, path: str, mode: str = "w", **kwargs: Any) -> IO[Any]:
        """As the port's contract says."""
        wanted = confined(self.path, path)
        if self.mode == "append" and any(entry.path == wanted for entry in view_files(self._previous)):
            raise FileExistsError(f"'{wanted}' exists in '{self.path}' and the write mode is append")
        file = self._loose.folder() / wanted
        file.parent.mkdir(parents=True, exist_ok=True)
        return file.open(mode, **kwargs)

    def abort(self) -> None:
        """As the port's contract says."""
        self._is_aborted, self._loose = True, Part(folder=scratch_folder())
        self._staged.clear()

    def commit(self) -> list[Part] | None:
        """All parts of the dataset after this run; ``None`` when the output was aborted."""
        if self._is_aborted:
            return None
        if self.mode == "replace":
            return list(self._written())
        return [*with_replaced_files(self._previous, self._loose), *self._written()]


def _stored(df: DataFrame, options: WriteOptions) -> StructType:
    """The written columns as they are read back: partition columns stand last."""
    from pyspark.sql.types import StructType

    fields = nullable(df.schema).fields
    last = [f for f in fields if f.name in options.partition_cols]
    return StructType([f for f in fields if f.name not in options.partition_cols] + last)
