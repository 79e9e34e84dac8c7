"""Files of a dataset as Arrow tables, without Spark: Parquet with Hive folders, CSV, JSON, ORC, Avro."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from transforms.api._filesystem import is_hidden
from transforms.api._text_files import moments, read_csv, read_json, read_text
from transforms.errors import LightweightValueError
from transforms.ports import FileEntry, ReadPort

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql.types import StructType

_NULL_FOLDER = "__HIVE_DEFAULT_PARTITION__"
# CSV files in a dataset that is stored otherwise say their columns themselves.
_HEADED = {"header": "true"}


def arrow_schema(schema: StructType) -> pa.Schema:
    """A Spark schema for Arrow; timestamps are microseconds in UTC."""
    import inspect

    from pyspark.sql.pandas.types import to_arrow_schema

    # Spark 4 asks for the zone that Spark 3.5 takes for granted.
    zone = {"timezone": "UTC"} if "timezone" in inspect.signature(to_arrow_schema).parameters else {}
    return to_arrow_schema(schema, **zone)


def spark_schema(schema: pa.Schema) -> StructType:
    """An Arrow schema for Spark, all nullable. Unsigned integers widen, dictionaries decode, null columns become
    strings.
    """
    import pyarrow as pa
    from pyspark.sql.pandas.types import from_arrow_type
    from pyspark.sql.types import StructField, StructType

    return StructType([StructField(f.name, from_arrow_type(_plain(f.type, pa)), True) for f in schema])


def _plain(kind: Any, pa: Any) -> Any:
    types = pa.types
    if types.is_dictionary(kind):
        return _plain(kind.value_type, pa)
    if types.is_null(kind):
        return pa.string()
    if types.is_large_string(kind) or str(kind) == "string_view":
        return pa.string()
    if types.is_large_binary(kind):
        return pa.binary()
    if types.is_float16(kind):
        return pa.float32()
    if types.is_unsigned_integer(kind):
        wider = {8: pa.int16(), 16: pa.int32(), 32: pa.int64()}
        return wider.get(kind.bit_width, pa.decimal128(20, 0))
    if types.is_list(kind) or types.is_large_list(kind) or types.is_fixed_size_list(kind):
        return pa.list_(_plain(kind.value_type, pa))
    if types.is_struct(kind):
        return pa.struct([pa.field(kind.field(i).name, _plain(kind.field(i).type, pa)) for i in range(kind.num_fields)])
    if types.is_map(kind):
        return pa.map_(_plain(kind.key_type, pa), _plain(kind.item_type, pa))
    return kind


def foreign_type(kind: pa.DataType) -> str | None:
    """The type inside ``kind`` for which Spark has no counterpart, or ``None``."""
    import pyarrow as pa

    types = pa.types
    if types.is_time(kind) or types.is_union(kind) or types.is_interval(kind):
        return str(kind)
    inner = [kind.field(i).type for i in range(kind.num_fields)] if types.is_nested(kind) else []
    return next((found for each in inner if (found := foreign_type(each)) is not None), None)


def _folders(path: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for part in path.split("/")[:-1]:
        name, sign, value = part.partition("=")
        if sign:
            found[unquote(name)] = None if value == _NULL_FOLDER else unquote(value)
    return found


_PACKED = {".gz": "gzip", ".bz2": "bz2", ".xz": "xz"}
_KINDS = {"parquet": "parquet", "csv": "csv", "json": "json", "jsonl": "json", "orc": "orc", "avro": "avro"}


def _one(
    port: ReadPort, mode: str, entry: FileEntry, reader: tuple[str, Mapping[str, str]], target: pa.Schema
) -> pa.Table:
    import fsspec.compression
    import pyarrow.orc
    import pyarrow.parquet

    name = entry.path.lower()
    packed = next((suffix for suffix in _PACKED if name.endswith(suffix)), "")
    kind = _KINDS.get(name.removesuffix(packed).rsplit(".", 1)[-1], reader[0])
    # The port knows how its bytes are reached; a location alone may need credentials.
    with port.open(entry.path, "rb", read_mode=mode) as raw:
        stream: Any = fsspec.compression.compr[_PACKED.get(packed)](raw, mode="rb")
        if kind == "parquet":
            return pyarrow.parquet.ParquetFile(stream).read()
        if kind == "orc":
            return pyarrow.orc.ORCFile(stream).read()
        if kind == "csv":
            return read_csv(stream.read(), target, reader[1] if reader[0] == "csv" else _HEADED, entry.path)
        if kind == "json":
            return read_json(stream.read(), entry.path)
        if kind == "text":
            return read_text(stream.read(), target)
        if kind == "avro":
            import polars as pl

            return pl.read_avro(stream).to_arrow()
    raise LightweightValueError(
        f"'{entry.path}' is no table file (parquet, csv, json, orc, avro); read it with filesystem().open()."
    )


def read_arrow(port: ReadPort, mode: str) -> pa.Table:
    """All rows of one mode with the stored schema.

    Raises:
        LightweightValueError: the dataset has no schema, so its files can only be opened one by one.
    """
    import pyarrow as pa

    schema = port.schema(mode)
    files = [f for f in port.files(mode) if not is_hidden(f.path)]
    if schema is None:
        if files:
            what = f"'{port.path}' has files but no schema; read them with filesystem().ls() and open()."
            raise LightweightValueError(what)
        return pa.table({})
    target = arrow_schema(schema)
    reader, tables = port.reader(mode), []
    for file in files:
        folders = _folders(file.path)
        inside = pa.schema([field for field in target if field.name not in folders])
        tables.append(_shaped(_one(port, mode, file, reader, inside), folders, target))
    return pa.concat_tables(tables) if tables else target.empty_table()


def _shaped(table: pa.Table, folders: Mapping[str, str | None], target: pa.Schema) -> pa.Table:
    """One file's rows with the columns of the view: missing ones null, folder values as columns."""
    import pyarrow as pa

    columns: list[Any] = []
    for wanted in target:
        if wanted.name in table.column_names:
            columns.append(_cast(table.column(wanted.name), wanted.type))
        else:
            value = folders.get(wanted.name)
            values = pa.nulls(table.num_rows, pa.string()) if value is None else pa.array([value] * table.num_rows)
            columns.append(values.cast(wanted.type))
    return pa.table(columns, schema=target)


def _cast(column: pa.ChunkedArray, kind: pa.DataType) -> pa.ChunkedArray:
    import pyarrow as pa

    if column.type == kind:
        return column
    return moments(column, kind) if pa.types.is_timestamp(kind) and _is_text(column.type) else column.cast(kind)


def _is_text(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


def table_of(value: Any) -> pa.Table | None:
    """pandas, Polars (eager or lazy), Arrow tables and DuckDB relations as an Arrow table; ``None`` for anything
    else.
    """
    import pyarrow as pa

    if isinstance(value, pa.Table):
        return value
    if isinstance(value, pa.RecordBatchReader):
        return value.read_all()
    module = type(value).__module__
    if module.startswith("polars"):
        return plain_table(
            (value.collect() if hasattr(value, "collect") and not hasattr(value, "to_arrow") else value).to_arrow()
        )
    if module.startswith(("duckdb", "_duckdb")) and hasattr(value, "to_arrow_table"):
        return value.to_arrow_table()
    if module.startswith(("duckdb", "_duckdb")) and hasattr(value, "arrow"):
        found = value.arrow()
        return found.read_all() if isinstance(found, pa.RecordBatchReader) else found
    if module.startswith("pandas"):
        return pa.Table.from_pandas(value, preserve_index=False)
    return None


def plain_table(table: pa.Table) -> pa.Table:
    """The same rows in types that every Parquet reader (Spark's included) knows."""
    import pyarrow as pa

    fields = [pa.field(f.name, _plain(f.type, pa)) for f in table.schema]
    return table.cast(pa.schema(fields))
