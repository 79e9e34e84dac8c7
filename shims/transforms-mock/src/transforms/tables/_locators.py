"""Where a table lies in an outside system; kept with the declaration."""

from __future__ import annotations

from dataclasses import dataclass

from transforms._names import caller
from transforms.errors import TransformValueError

FILE_FORMATS = ("avro", "csv", "parquet")


@dataclass(frozen=True)
class BigQueryTable:
    """A table of BigQuery."""

    project: str
    dataset: str
    table: str


@dataclass(frozen=True)
class DatabricksTable:
    """A table of Databricks; ``location`` for external ones."""

    catalog: str
    schema: str
    table: str
    format: str = "delta"
    location: str | None = None


@dataclass(frozen=True)
class DeltaTable:
    """A Delta table in a file store."""

    path: str


@dataclass(frozen=True)
class FilesTable:
    """Plain files (``avro``, ``csv`` or ``parquet``) in a file store."""

    path: str
    format: str

    def __post_init__(self) -> None:
        if self.format not in FILE_FORMATS:
            what = f"format of FilesTable is one of {', '.join(FILE_FORMATS)}, got {self.format!r}."
            raise TransformValueError(what, caller())


@dataclass(frozen=True)
class IcebergTable:
    """An Iceberg table."""

    table: str
    warehouse_path: str | None = None


@dataclass(frozen=True)
class SnowflakeTable:
    """A table of Snowflake."""

    database: str
    schema: str
    table: str


LOCATORS = (BigQueryTable, DatabricksTable, DeltaTable, FilesTable, IcebergTable, SnowflakeTable)
