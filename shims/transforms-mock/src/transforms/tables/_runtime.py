"""Tables as a compute function receives them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NoReturn

from transforms._names import Named
from transforms.api._incremental_runtime import IncrementalTransformInput
from transforms.api._lightweight import LightweightInput
from transforms.api._lightweight_output import LightweightOutput
from transforms.api._spark_runtime import TransformInput, TransformOutput
from transforms.errors import NotAvailableError, WriteArgumentError

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame


def _refuse(method: str, table: str) -> NoReturn:
    raise NotAvailableError(
        f"{method} of table '{table}'", "it needs the table's own format, and tables are datasets here"
    )


class TableTransformInput(TransformInput):
    """A table to read in a Spark transform."""

    def dataframe(self, options: Mapping[str, Any] | None = None) -> DataFrame:
        """All rows. ``options`` tune a warehouse's reader and change no result."""
        return self._read("current")

    @property
    def catalog(self) -> str:
        """Raises ``ValueError``: a dataset lies in no catalog."""
        raise WriteArgumentError(self._port.path, "this table has no catalog.")

    @property
    def identifier(self) -> str:
        """Raises ``ValueError``: a dataset has no identifier in a catalog."""
        raise WriteArgumentError(self._port.path, "this table has no identifier.")


class IncrementalTableTransformInput(IncrementalTransformInput):
    """A table to read in an ``@incremental`` Spark transform."""

    def dataframe(self, mode: str = "added", options: Mapping[str, Any] | None = None) -> DataFrame:
        """The rows of one mode. ``options`` tune a warehouse's reader and change no result."""
        if mode == "changelog":
            self.changelog()
        return super().dataframe(mode)

    def changelog(self, identifier_columns: Sequence[str] | None = None) -> DataFrame:
        """Refused: only Iceberg keeps row-level changes."""
        _refuse("changelog", self._port.path)


class TableTransformOutput(TransformOutput):
    """A table to write in a Spark transform."""

    @property
    def identifier(self) -> str:
        """Raises ``ValueError``: a dataset has no identifier in a catalog."""
        raise WriteArgumentError(self._port.path, "this table has no identifier.")

    def apply_changelog(self, df: DataFrame, identifier_columns: Sequence[str]) -> None:
        """Refused: only Iceberg takes row-level changes."""
        _refuse("apply_changelog", self._port.path)


class _Rows(Named):
    """``iceberg().table().scan()``, in the forms that need no Iceberg."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    def table(self) -> _Rows:
        """The table itself."""
        return self

    def scan(self) -> _Rows:
        """All rows."""
        return self

    def to_arrow(self) -> pa.Table:
        """As an Arrow table."""
        return self._table

    def to_pandas(self) -> Any:
        """As a pandas frame."""
        return self._table.to_pandas()

    def to_polars(self) -> Any:
        """As a lazy Polars frame."""
        import polars as pl

        return pl.DataFrame(self._table).lazy()

    def to_arrow_batch_reader(self) -> Any:
        """As a reader of record batches."""
        return self._table.to_reader()


class TableLightweightInput(LightweightInput):
    """A table to read in a single-node transform."""

    def iceberg(self) -> _Rows:
        """The rows behind the calls ``table().scan().to_polars()`` and its siblings."""
        return _Rows(self._arrow("current"))

    def snowpark(self) -> Any:
        """Refused: it is a session inside Snowflake."""
        _refuse("snowpark", self._port.path)


class _IcebergWriter(Named):
    def __init__(self, output: TableLightweightOutput) -> None:
        self._output = output

    def write(self, table: Any) -> None:
        """Write an Arrow table."""
        self._output.write_table(table)


class TableLightweightOutput(LightweightOutput):
    """A table to write in a single-node transform."""

    def iceberg(self) -> _IcebergWriter:
        """``iceberg().write(arrow_table)``."""
        return _IcebergWriter(self)

    def snowpark(self) -> Any:
        """Refused: it is a session inside Snowflake."""
        _refuse("snowpark", self._port.path)
