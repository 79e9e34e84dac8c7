"""What a single-node transform's function receives: pandas, Polars, Arrow and plain files instead of Spark frames."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transforms._names import Named, known_arguments
from transforms.api._arrow import arrow_schema, read_arrow, table_of
from transforms.api._filesystem import BaseFileSystem
from transforms.api._lightweight_write import TableWriter
from transforms.errors import (
    LightweightTypeError,
    LightweightValueError,
    ModeAfterWriteError,
    PreviousWithoutSchemaError,
    ReadModeError,
    WriteModeError,
    WrittenTwiceError,
)
from transforms.ports import READ_MODES, WRITE_MODES, ReadPort, WritePort

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa

_MODES_NEED_INCREMENTAL = "Read modes exist with @incremental above the transform."


class FoundryDataSidecarFileSystem(BaseFileSystem):
    """The files of a dataset in a single-node transform: ``ls`` and ``open``. Safe to use from threads."""


class FoundryDataSidecarFile:
    """The type that annotations name for an opened file. Files opened here are ordinary binary or text streams."""


class LightweightDataset(Named):
    """Identity and reading, shared by inputs and outputs. Hashable by identity."""

    def __init__(self, port: ReadPort) -> None:
        self._port = port

    def __repr__(self) -> str:
        return f"<{type(self).__name__} '{self._port.path}' on {self._port.branch}>"

    @property
    def alias(self) -> str:
        """Path of the dataset."""
        return self._port.path

    @property
    def rid(self) -> str:
        """Resource identifier of the dataset."""
        return self._port.rid

    @property
    def branch(self) -> str:
        """The branch that is read or written."""
        return self._port.branch

    def _arrow(self, mode: str, schema: Any = None) -> pa.Table:
        raise NotImplementedError

    def _polars(self, lazy: bool, mode: str, schema: Any = None) -> Any:
        import polars as pl

        frame = pl.from_arrow(self._arrow(mode, schema))
        return frame.lazy() if lazy and isinstance(frame, pl.DataFrame) else frame

    def _pandas(self, mode: str, schema: Any = None) -> pd.DataFrame:
        return self._arrow(mode, schema).to_pandas()


def _checked(dataset: str, mode: Any) -> str:
    if mode not in READ_MODES:
        raise ReadModeError(dataset, mode, READ_MODES)
    return str(mode)


def _lazy_and_mode(lazy: Any, mode: str) -> tuple[bool, str]:
    """Documentation writes both ``polars(lazy=True)`` and ``polars('added')``."""
    return (False, lazy) if isinstance(lazy, str) else (bool(lazy), mode)


class LightweightInput(LightweightDataset):
    """A dataset to read on one node."""

    def _arrow(self, mode: str, schema: Any = None) -> pa.Table:
        return read_arrow(self._port, mode)

    @known_arguments("LightweightInput.arrow", _MODES_NEED_INCREMENTAL)
    def arrow(self) -> pa.Table:
        """The whole current view as an Arrow table.

        Raises:
            LightweightValueError: the dataset has no schema.
        """
        return self._arrow("current")

    @known_arguments("LightweightInput.pandas", _MODES_NEED_INCREMENTAL)
    def pandas(self) -> pd.DataFrame:
        """The whole current view as a pandas frame."""
        return self._pandas("current")

    def dataframe(self) -> pd.DataFrame:
        """The same as :meth:`pandas`: a pandas frame, not a Spark one."""
        return self._pandas("current")

    @known_arguments("LightweightInput.polars", _MODES_NEED_INCREMENTAL)
    def polars(self, lazy: bool = False) -> pl.DataFrame | pl.LazyFrame:
        """The whole current view as a Polars frame, or a lazy one."""
        return self._polars(bool(lazy), "current")

    @known_arguments("LightweightInput.path", _MODES_NEED_INCREMENTAL)
    def path(self) -> str:
        """A local folder with the data files of the current view.

        Raises:
            LightweightValueError: the dataset has no schema.
        """
        return self._directory("current")

    def _directory(self, mode: str) -> str:
        if self._port.schema(mode) is None:
            raise LightweightValueError(
                f"'{self._port.path}' has no schema; read its files with filesystem().ls() and open()."
            )
        return self._port.directory(mode).removeprefix("file://").rstrip("/")

    @known_arguments("LightweightInput.filesystem", _MODES_NEED_INCREMENTAL)
    def filesystem(self) -> FoundryDataSidecarFileSystem:
        """The files, read-only."""
        return FoundryDataSidecarFileSystem(self._port, True, "current")

    @property
    def start_transaction_rid(self) -> str | None:
        """First transaction of the range."""
        return self._port.start_transaction_rid

    @property
    def end_transaction_rid(self) -> str | None:
        """Last transaction of the range."""
        return self._port.end_transaction_rid


class IncrementalLightweightInput(LightweightInput):
    """A dataset to read on one node, by default only what is new since the last run."""

    def __init__(self, port: ReadPort, *, is_incremental: bool = False, snapshot: bool = False) -> None:
        super().__init__(port)
        self._partial = is_incremental and not snapshot

    def _arrow(self, mode: str, schema: Any = None) -> pa.Table:
        mode = _checked(self._port.path, mode)
        if self._partial or mode == "current":
            return read_arrow(self._port, mode)
        whole = self._port.schema("current")
        if mode == "previous":
            return arrow_schema(whole).empty_table() if whole is not None else read_arrow(self._port, mode)
        return read_arrow(self._port, "current")

    def _files_mode(self, mode: str) -> str:
        mode = _checked(self._port.path, mode)
        return "current" if mode == "added" and not self._partial else mode

    def arrow(self, mode: str = "added") -> pa.Table:
        """The rows of one mode as an Arrow table."""
        return self._arrow(mode)

    def pandas(self, mode: str = "added") -> pd.DataFrame:
        """The rows of one mode as a pandas frame."""
        return self._pandas(mode)

    def dataframe(self, mode: str = "added") -> pd.DataFrame:
        """The same as :meth:`pandas`."""
        return self._pandas(mode)

    def polars(self, lazy: bool | str = False, mode: str = "added") -> pl.DataFrame | pl.LazyFrame:
        """The rows of one mode as a Polars frame; a text given first is the mode."""
        lazy, mode = _lazy_and_mode(lazy, mode)
        return self._polars(lazy, mode)

    def path(self, mode: str = "added") -> str:
        """A local folder with the data files of one mode."""
        return self._directory(self._files_mode(mode))

    def filesystem(self, mode: str = "added") -> FoundryDataSidecarFileSystem:
        """The files of one mode, read-only."""
        return FoundryDataSidecarFileSystem(self._port, True, self._files_mode(mode))


class LightweightOutput(LightweightDataset):
    """A dataset to write on one node, inside this job's transaction.

    Raises:
        WrittenTwiceError, ModeAfterWriteError, WriteModeError: as for Spark outputs.
        LightweightTypeError: the table is of no known kind.
        LightweightValueError: a path that is not :attr:`path_for_write_table`, or both description arguments.
    """

    _port: WritePort

    def __init__(self, port: WritePort) -> None:
        super().__init__(port)
        self._writer = TableWriter(port)
        self._filed = False

    def _arrow(self, mode: str, schema: Any = None) -> pa.Table:
        return read_arrow(self._port, mode)

    @property
    def transaction_rid(self) -> str:
        """The open transaction."""
        return self._port.transaction_rid

    @property
    def path_for_write_table(self) -> str:
        """A local folder: put Parquet files there, then call ``write_table`` with this very path."""
        return self._writer.directory

    @property
    def path_for_object_store_write_table(self) -> str:
        """Where engines that stream may write Parquet files; finish with :meth:`put_metadata`. A local folder here."""
        return self._writer.directory

    def set_mode(self, mode: str) -> None:
        """``replace``, ``modify`` or ``append``; before anything is written."""
        if mode not in WRITE_MODES:
            raise WriteModeError(self._port.path, mode, WRITE_MODES)
        if self._writer.written or self._filed:
            raise ModeAfterWriteError(self._port.path, mode)
        self._port.set_mode(mode)

    def write_table(
        self,
        df: Any,
        column_description: Mapping[str, str] | None = None,
        column_descriptions: Mapping[str, str] | None = None,
        **engine: Any,
    ) -> None:
        """Write a pandas, Polars or Arrow table, a DuckDB relation, or the files in :attr:`path_for_write_table`.

        ``None`` infers the schema from files that were already written. ``engine=`` is taken and has no effect here.
        """
        if column_description is not None and column_descriptions is not None:
            raise LightweightValueError(
                "give column_description or column_descriptions, not both; the former is deprecated."
            )
        if set(engine) - {"engine"}:
            raise LightweightTypeError(f"write_table has no argument '{sorted(set(engine) - {'engine'})[0]}'.")
        if self._writer.written:
            raise WrittenTwiceError(self._port.path)
        descriptions = column_descriptions or column_description
        if df is None or isinstance(df, str | Path):
            self._writer.write_directory(df, descriptions)
            return
        table = table_of(df)
        if table is None:
            kinds = "a pandas, Polars or Arrow table, a DuckDB relation or a path"
            raise LightweightTypeError(
                f"'{self._port.path}' takes {kinds}, got {type(df).__module__}.{type(df).__name__}."
            )
        self._writer.write(table, descriptions)

    @known_arguments("LightweightOutput.write_dataframe")
    def write_dataframe(
        self,
        df: Any,
        column_description: Mapping[str, str] | None = None,
        column_descriptions: Mapping[str, str] | None = None,
    ) -> None:
        """The same as :meth:`write_table`."""
        self.write_table(df, column_description, column_descriptions)

    @known_arguments("LightweightOutput.write_pandas")
    def write_pandas(
        self,
        df: Any,
        column_description: Mapping[str, str] | None = None,
        column_descriptions: Mapping[str, str] | None = None,
    ) -> None:
        """The same as :meth:`write_table`."""
        self.write_table(df, column_description, column_descriptions)

    @known_arguments("LightweightOutput.put_metadata")
    def put_metadata(self, column_descriptions: Mapping[str, str] | None = None) -> None:
        """Take over the Parquet files in :attr:`path_for_object_store_write_table` and infer the schema.

        Raises:
            LightweightValueError: nothing was put there.
        """
        self._writer.write_directory(None, column_descriptions, required=True)

    def arrow(self) -> pa.Table:
        """The whole view of the output as an Arrow table."""
        return self._arrow("current")

    def pandas(self) -> pd.DataFrame:
        """The whole view of the output as a pandas frame."""
        return self._pandas("current")

    def dataframe(self) -> pd.DataFrame:
        """The same as :meth:`pandas`."""
        return self._pandas("current")

    def polars(self, lazy: bool = False) -> pl.DataFrame | pl.LazyFrame:
        """The whole view of the output as a Polars frame, or a lazy one."""
        return self._polars(bool(lazy), "current")

    def path(self) -> str:
        """A local folder with the data files of the output."""
        return self._port.directory("current").removeprefix("file://").rstrip("/")

    def filesystem(self) -> FoundryDataSidecarFileSystem:
        """The files; those opened for writing become part of the transaction."""
        return FoundryDataSidecarFileSystem(self._port, False, "current", self)

    def read_unstaged_dataset_as_polars_lazy(self) -> pl.LazyFrame:
        """What this job wrote so far, before it commits."""
        return self._polars(True, "current")

    def _before_file_write(self, path: str) -> None:
        self._filed = True


class IncrementalLightweightOutput(LightweightOutput):
    """A dataset to write on one node, whose earlier content can be read."""

    def __init__(self, port: WritePort, *, is_incremental: bool = False) -> None:
        super().__init__(port)
        self._incremental = is_incremental

    def _arrow(self, mode: str, schema: Any = None) -> pa.Table:
        mode = _checked(self._port.path, mode)
        nothing = mode == "previous" and not self._incremental
        if nothing or self._port.schema(mode) is None:
            if schema is None and mode == "previous":
                raise PreviousWithoutSchemaError(self._port.path)
            if schema is not None:
                return _empty_table(schema)
        return read_arrow(self._port, mode)

    def arrow(self, mode: str = "current", schema: Any = None) -> pa.Table:
        """The rows of one mode as an Arrow table; ``schema`` (Arrow, Polars or Spark) shapes an empty one."""
        return self._arrow(mode, schema)

    def pandas(self, mode: str = "current", schema: Any = None) -> pd.DataFrame:
        """The rows of one mode as a pandas frame."""
        return self._pandas(mode, schema)

    def dataframe(self, mode: str = "current", schema: Any = None) -> pd.DataFrame:
        """The same as :meth:`pandas`."""
        return self._pandas(mode, schema)

    def polars(
        self, lazy: bool | str = False, mode: str = "current", schema: Any = None
    ) -> pl.DataFrame | pl.LazyFrame:
        """The rows of one mode as a Polars frame; a text given first is the mode."""
        lazy, mode = _lazy_and_mode(lazy, mode)
        return self._polars(lazy, mode, schema)

    def path(self, mode: str = "current") -> str:
        """A local folder with the data files of one mode."""
        return self._port.directory(_checked(self._port.path, mode)).removeprefix("file://").rstrip("/")


def _empty_table(schema: Any) -> pa.Table:
    import pyarrow as pa

    if isinstance(schema, pa.Schema):
        return schema.empty_table()
    if hasattr(schema, "fieldNames"):
        return arrow_schema(schema).empty_table()
    import polars as pl

    return pl.DataFrame(schema=schema).to_arrow()
