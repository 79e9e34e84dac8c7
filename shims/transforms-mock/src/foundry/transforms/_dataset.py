"""``Dataset``: read and write one dataset by alias."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from foundry.transforms._columns import Filter
from foundry.transforms._provider import finished, open_port
from transforms._names import Named, caller, known_arguments
from transforms.api._arrow import arrow_schema, read_arrow
from transforms.api._filesystem import is_hidden
from transforms.api._lightweight_output import LightweightOutput, empty_table
from transforms.errors import ReadModeError, TransformTypeError, TransformValueError, UnknownArgumentError
from transforms.ports import READ_MODES, FileEntry

FORMATS = ("arrow", "pandas", "dataframe", "polars", "lazy-polars", "path")
_IN_MEMORY = FORMATS[:4]


class FileCollection(Named):
    """Files of a dataset."""

    def __init__(self, port: Any, entries: Sequence[FileEntry], mode: str) -> None:
        self._port, self._entries, self._mode = port, tuple(entries), mode

    def __iter__(self) -> Iterator[FileEntry]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def download(self) -> dict[str, str]:
        """Logical path -> local path of a copy of every file."""
        folder = Path(tempfile.mkdtemp(prefix="foundry-dataset-"))
        found = {}
        for entry in self._entries:
            target = folder / entry.path
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._port.open(entry.path, "rb", read_mode=self._mode) as source, target.open("wb") as copy:
                shutil.copyfileobj(source, copy)
            found[entry.path] = str(target)
        return found


class Dataset(Named):
    """One dataset, and what was chained on it for reading."""

    def __init__(
        self,
        alias: str,
        *,
        columns: tuple[str, ...] | None = None,
        limit: int | None = None,
        where: Filter | None = None,
    ) -> None:
        self.alias = alias
        self._columns, self._limit, self._where = columns, limit, where
        self._output: LightweightOutput | None = None

    @staticmethod
    @known_arguments("Dataset.get")
    def get(alias: str) -> Dataset:
        """The dataset ``alias``; nothing is opened yet."""
        if not isinstance(alias, str):
            raise TransformTypeError(f"Dataset.get takes an alias as text, got {alias!r}.", caller())
        return Dataset(alias)

    def _chained(self, **change: Any) -> Dataset:
        return Dataset(self.alias, **({"columns": self._columns, "limit": self._limit, "where": self._where} | change))

    @known_arguments("Dataset.where")
    def where(self, filter: Filter) -> Dataset:
        """Only rows that meet a condition; a second one narrows further."""
        if not isinstance(filter, Filter):
            what = f"Dataset.where takes a condition such as Column.get('x') > 1, got {filter!r}."
            raise TransformTypeError(what, caller())
        return self._chained(where=filter if self._where is None else self._where & filter)

    @known_arguments("Dataset.select")
    def select(self, *names: str) -> Dataset:
        """Only these columns."""
        if not names or not all(isinstance(name, str) for name in names):
            raise TransformTypeError(f"Dataset.select takes column names one by one, got {names!r}.", caller())
        return self._chained(columns=names)

    @known_arguments("Dataset.limit")
    def limit(self, n: int) -> Dataset:
        """At most ``n`` rows."""
        return self._chained(limit=_count("Dataset.limit", n))

    @known_arguments("Dataset.read_table")
    def read_table(
        self,
        columns: Sequence[str] | None = None,
        row_limit: int | None = None,
        format: str = "dataframe",
        mode: str = "current",
        force_dataset_download: bool = False,
        schema: Any = None,
    ) -> Any:
        """The rows.

        Args:
            columns, row_limit: as :meth:`select` and :meth:`limit`.
            format: ``arrow``, ``pandas`` or ``dataframe`` (the same), ``polars``, ``lazy-polars``, or ``path`` (a
                folder).
            mode: ``current``, ``previous`` or ``added``.
            force_dataset_download: taken; everything is local.
            schema: what an empty dataset looks like (an Arrow, Polars or Spark schema).

        Raises:
            TransformValueError: an unknown format, or columns, limit or condition with a format or mode that has none.
            ReadModeError: an unknown mode.
        """
        if format not in FORMATS:
            raise TransformValueError(f"format is one of {', '.join(FORMATS)}, got {format!r}.", self.alias)
        if mode not in READ_MODES:
            raise ReadModeError(self.alias, mode, READ_MODES)
        if columns is not None and (isinstance(columns, str) or not isinstance(columns, Iterable)):
            raise TransformTypeError(f"columns of Dataset.read_table is a list of names, got {columns!r}.", caller())
        names = tuple(columns) if columns is not None else self._columns
        limit = self._limit if row_limit is None else _count("row_limit of Dataset.read_table", row_limit)
        narrowed = names is not None or limit is not None or self._where is not None
        if narrowed and (format not in _IN_MEMORY or mode != "current"):
            what = f"columns, row_limit and where need one of the formats {', '.join(_IN_MEMORY)} and mode 'current'."
            raise TransformValueError(what, self.alias)
        port = open_port(self.alias, False)
        if format == "path":
            return port.local_directory(mode)
        table = read_arrow(port, mode) if schema is None or port.schema(mode) is not None else empty_table(schema)
        if self._where is not None:
            table = table.filter(self._where.expression())
        if names is not None:
            if missing := [name for name in names if name not in table.column_names]:
                raise UnknownArgumentError("columns of the dataset", missing[0], tuple(table.column_names), self.alias)
            table = table.select(list(names))
        if limit is not None:
            table = table.slice(0, limit)
        return _as(format, table)

    def _writer(self) -> LightweightOutput:
        if self._output is None:
            self._output = LightweightOutput(open_port(self.alias, True))
        return self._output

    def _written(self) -> None:
        if self._output is not None and finished(self._output._port):
            self._output = None

    @known_arguments("Dataset.set_write_mode")
    def set_write_mode(self, mode: str) -> Dataset:
        """``replace``, ``modify`` or ``append``; before anything is written."""
        self._writer().set_mode(mode)
        return self

    @known_arguments("Dataset.write_table")
    def write_table(self, df: Any, column_descriptions: Mapping[str, str] | None = None) -> None:
        """Write a pandas, Polars or Arrow table, a DuckDB relation, or the files in :attr:`write_table_path`."""
        self._writer().write_table(df, column_descriptions=column_descriptions)
        self._written()

    @known_arguments("Dataset.put_metadata")
    def put_metadata(self, column_descriptions: Mapping[str, str] | None = None) -> None:
        """Take over Parquet files put into :attr:`write_table_path`."""
        self._writer().put_metadata(column_descriptions)
        self._written()

    @property
    def write_table_path(self) -> str:
        """A local folder for Parquet files."""
        return self._writer().path_for_write_table

    @property
    def lazy_write_table_path(self) -> str:
        """The same folder, for engines that stream."""
        return self._writer().path_for_object_store_write_table

    @known_arguments("Dataset.files")
    def files(self, mode: str = "current", show_hidden_files: bool = False) -> FileCollection:
        """The files of one mode."""
        if mode not in READ_MODES:
            raise ReadModeError(self.alias, mode, READ_MODES)
        port = open_port(self.alias, False)
        return FileCollection(port, [f for f in port.files(mode) if show_hidden_files or not is_hidden(f.path)], mode)

    @known_arguments("Dataset.upload_file")
    def upload_file(self, path: str | os.PathLike[str], logical_path: str | None = None) -> str:
        """Store a local file; gives its logical path."""
        name = self._upload(path, logical_path)
        self._written()
        return name

    def _upload(self, path: str | os.PathLike[str], logical_path: str | None) -> str:
        if not isinstance(logical_path, str | None):
            what = f"logical_path of Dataset.upload_file is a text, got {logical_path!r}."
            raise TransformTypeError(what, caller())
        name = logical_path or _local("Dataset.upload_file", path).name
        with Path(path).open("rb") as source, self._writer().filesystem().open(name, "wb") as target:
            shutil.copyfileobj(source, target)
        return name

    @known_arguments("Dataset.upload_directory")
    def upload_directory(self, local_dir_path: str | os.PathLike[str]) -> dict[str, str]:
        """Store every file below a local folder; local path -> logical path."""
        root = _local("Dataset.upload_directory", local_dir_path)
        if not root.is_dir():
            raise TransformValueError(f"Dataset.upload_directory takes a local folder; {root} is none.", caller())
        files = sorted(f for f in root.rglob("*") if f.is_file())
        uploaded = {str(f): self._upload(f, f.relative_to(root).as_posix()) for f in files}
        self._written()
        return uploaded

    @known_arguments("Dataset.abort")
    def abort(self) -> Dataset:
        """Drop everything written."""
        self._writer()._port.abort()
        self._written()
        return self

    @property
    def schema(self) -> Any:
        """The stored schema for Arrow; ``None`` for raw files."""
        stored = open_port(self.alias, False).schema("current")
        return None if stored is None else arrow_schema(stored)


def _local(owner: str, given: object) -> Path:
    if not isinstance(given, str | os.PathLike):
        raise TransformTypeError(f"{owner} takes a local path, got {given!r}.", caller())
    return Path(given)


def _count(owner: str, given: object) -> int:
    if isinstance(given, bool) or not isinstance(given, int) or given < 0:
        raise TransformTypeError(f"{owner} is a number of rows, got {given!r}.", caller())
    return given


def _as(kind: str, table: Any) -> Any:
    if kind == "arrow":
        return table
    if kind in ("polars", "lazy-polars"):
        import polars as pl

        frame = pl.DataFrame(table)
        return frame.lazy() if kind == "lazy-polars" else frame
    return table.to_pandas()
