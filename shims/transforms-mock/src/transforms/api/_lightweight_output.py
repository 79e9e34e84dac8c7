"""What a single-node transform's function writes: tables of every kind, and plain files."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from transforms._names import known_arguments
from transforms.api._arrow import arrow_schema, read_arrow, table_of
from transforms.api._lightweight import (
    MODES_NEED_INCREMENTAL,
    FoundryDataSidecarFileSystem,
    LightweightDataset,
    lazy_and_mode,
)
from transforms.api._lightweight_write import TableWriter
from transforms.api._read_modes import seen_mode
from transforms.errors import (
    LightweightTypeError,
    LightweightValueError,
    ModeAfterWriteError,
    PreviousWithoutSchemaError,
    WriteModeError,
    WrittenTwiceError,
)
from transforms.ports import WRITE_MODES, WritePort

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pyarrow as pa


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

    @known_arguments("{}.set_mode")
    def set_mode(self, mode: str) -> None:
        """``replace``, ``modify`` or ``append``; before anything is written."""
        if mode not in WRITE_MODES:
            raise WriteModeError(self._port.path, mode, WRITE_MODES)
        if self._writer.written or self._filed:
            raise ModeAfterWriteError(self._port.path, mode)
        self._port.set_mode(mode)

    @known_arguments("{}.write_table")
    def write_table(
        self,
        df: Any,
        column_description: Mapping[str, str] | None = None,
        column_descriptions: Mapping[str, str] | None = None,
        engine: str | None = None,
    ) -> None:
        """Write a pandas, Polars or Arrow table, a DuckDB relation, or the files in :attr:`path_for_write_table`.

        ``None`` infers the schema from files that were already written. ``engine=`` is taken and has no effect here.
        """
        if column_description is not None and column_descriptions is not None:
            raise LightweightValueError(
                "give column_description or column_descriptions, not both; the former is deprecated."
            )
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

    @known_arguments("{}.write_dataframe")
    def write_dataframe(
        self,
        df: Any,
        column_description: Mapping[str, str] | None = None,
        column_descriptions: Mapping[str, str] | None = None,
        engine: str | None = None,
    ) -> None:
        """The same as :meth:`write_table`."""
        self.write_table(df, column_description, column_descriptions)

    @known_arguments("{}.write_pandas")
    def write_pandas(
        self,
        df: Any,
        column_description: Mapping[str, str] | None = None,
        column_descriptions: Mapping[str, str] | None = None,
        engine: str | None = None,
    ) -> None:
        """The same as :meth:`write_table`."""
        self.write_table(df, column_description, column_descriptions)

    @known_arguments("{}.put_metadata")
    def put_metadata(self, column_descriptions: Mapping[str, str] | None = None) -> None:
        """Take over the Parquet files in :attr:`path_for_object_store_write_table` and infer the schema.

        Raises:
            LightweightValueError: nothing was put there.
        """
        self._writer.write_directory(None, column_descriptions, required=True)

    @known_arguments("{}.path", MODES_NEED_INCREMENTAL)
    def path(self) -> str:
        """A local folder with the data files of the output."""
        return self._port.local_directory("current").rstrip("/")

    @known_arguments("{}.filesystem", MODES_NEED_INCREMENTAL)
    def filesystem(self) -> FoundryDataSidecarFileSystem:
        """The files; those opened for writing become part of the transaction."""
        return FoundryDataSidecarFileSystem(self._port, False, "current", self)

    @known_arguments("{}.read_unstaged_dataset_as_polars_lazy")
    def read_unstaged_dataset_as_polars_lazy(self) -> pl.LazyFrame:
        """What this job wrote so far, before it commits."""
        return self._polars(True, "current")

    def _before_file_write(self, path: str) -> None:
        self._filed = True


class IncrementalLightweightOutput(LightweightOutput):
    """A dataset to write on one node, whose earlier content can be read."""

    def __init__(self, port: WritePort, *, is_incremental: bool = False, strict_append: bool = False) -> None:
        super().__init__(port)
        self._incremental = is_incremental
        self._strict = is_incremental and strict_append

    @known_arguments("{}.set_mode")
    def set_mode(self, mode: str) -> None:
        """``replace``, ``modify`` or ``append``; before anything is written. Under ``strict_append`` an incremental run
        appends also when told to modify.
        """
        super().set_mode(mode)
        if self._strict and mode == "modify":
            self._port.set_mode("append")

    def _seen(self, mode: str) -> str:
        return seen_mode(self._port, mode, self._incremental)

    def _arrow(self, mode: str, schema: Any = None) -> pa.Table:
        mode = self._seen(mode)
        shaped = None if schema is None else empty_table(schema)
        nothing = not self._incremental and (mode == "previous" or not self._port.files(mode))
        if nothing or self._port.schema(mode) is None:
            if schema is None and mode == "previous":
                raise PreviousWithoutSchemaError(self._port.path)
            if shaped is not None:
                return shaped
        return read_arrow(self._port, mode)

    @known_arguments("{}.arrow")
    def arrow(self, mode: str = "current", schema: Any = None) -> pa.Table:
        """The rows of one mode as an Arrow table; ``schema`` (Arrow, Polars or Spark) shapes an empty one."""
        return self._arrow(mode, schema)

    @known_arguments("{}.pandas")
    def pandas(self, mode: str = "current", schema: Any = None) -> pd.DataFrame:
        """The rows of one mode as a pandas frame."""
        return self._pandas(mode, schema)

    @known_arguments("{}.dataframe")
    def dataframe(self, mode: str = "current", schema: Any = None) -> pd.DataFrame:
        """The same as :meth:`pandas`."""
        return self._pandas(mode, schema)

    @known_arguments("{}.polars")
    def polars(
        self, lazy: bool | str = False, mode: str = "current", schema: Any = None
    ) -> pl.DataFrame | pl.LazyFrame:
        """The rows of one mode as a Polars frame; a text given first is the mode."""
        lazy, mode = lazy_and_mode(lazy, mode)
        return self._polars(lazy, mode, schema)

    @known_arguments("{}.path")
    def path(self, mode: str = "current") -> str:
        """A local folder with the data files of one mode."""
        return self._port.local_directory(self._seen(mode)).rstrip("/")

    @known_arguments("{}.filesystem", MODES_NEED_INCREMENTAL)
    def filesystem(self) -> FoundryDataSidecarFileSystem:
        """The files; those opened for writing become part of the transaction."""
        return FoundryDataSidecarFileSystem(self._port, False, self._seen("current"), self)


def empty_table(schema: Any) -> pa.Table:
    """No rows of an Arrow, Polars or Spark schema.

    Raises:
        LightweightTypeError: it is none of these.
    """
    import pyarrow as pa

    if isinstance(schema, pa.Schema):
        return schema.empty_table()
    if hasattr(schema, "fieldNames"):
        return arrow_schema(schema).empty_table()
    import polars as pl

    if not isinstance(schema, Mapping | list):
        raise LightweightTypeError(f"a schema is one of Arrow, Polars or Spark, got {schema!r}.")
    return pl.DataFrame(schema=schema).to_arrow()
