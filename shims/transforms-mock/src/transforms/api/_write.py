"""Arguments of writes, checked before a port sees them, and in-memory tables turned into Spark frames."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from transforms.api._empty import empty_frame
from transforms.errors import WriteArgumentError, nearest
from transforms.ports import WriteOptions

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

FORMATS = ("csv", "json", "orc", "parquet", "text")
MAX_DESCRIPTION = 800
MAX_TYPECLASS = 100


def _columns(dataset: str, argument: str, given: Any, known: Sequence[str]) -> tuple[str, ...]:
    if given is None:
        return ()
    listed = isinstance(given, Iterable) and not isinstance(given, str)
    if not listed or not all(isinstance(name, str) for name in given):
        raise WriteArgumentError(dataset, f"{argument} is a list of column names, got {given!r}.")
    for name in given:
        if name not in known:
            raise WriteArgumentError(
                dataset, f"{argument} names column '{name}', which the frame lacks.{nearest(name, known)}"
            )
    return tuple(given)


def checked_descriptions(dataset: str, given: Mapping[str, str] | None, columns: Sequence[str]) -> dict[str, str]:
    """Descriptions of the columns that exist.

    Raises:
        WriteArgumentError: one is too long or no text.
    """
    if given is not None and not isinstance(given, Mapping):
        what = f"column_descriptions is a dict from column to text, got {given!r}."
        raise WriteArgumentError(dataset, what)
    kept = {name: text for name, text in (given or {}).items() if name in columns}
    for name, text in kept.items():
        if not isinstance(text, str) or len(text) > MAX_DESCRIPTION:
            what = f"the description of column '{name}' must be a text of at most {MAX_DESCRIPTION} characters."
            raise WriteArgumentError(dataset, what)
    return kept


def _typeclasses(
    dataset: str, given: Mapping[str, Sequence[Mapping[str, str]]] | None, columns: Sequence[str]
) -> dict[str, tuple[dict[str, str], ...]]:
    shape = "column_typeclasses is a dict from column to a list of {'name': ..., 'kind': ...}"
    if given is not None and not isinstance(given, Mapping):
        raise WriteArgumentError(dataset, f"{shape}, got {given!r}.")
    kept: dict[str, tuple[dict[str, str], ...]] = {}
    for name, tags in (given or {}).items():
        if isinstance(tags, str | Mapping) or not all(isinstance(tag, Mapping) for tag in tags):
            raise WriteArgumentError(dataset, f"{shape}, got {tags!r} for column '{name}'.")
        if name in columns:
            kept[name] = tuple(dict(tag) for tag in tags)
    for name, tags in kept.items():
        for tag in tags:
            if set(tag) != {"name", "kind"}:
                raise WriteArgumentError(
                    dataset, f"a typeclass of column '{name}' has keys 'name' and 'kind', got {tag!r}."
                )
            if any(not isinstance(text, str) or len(text) > MAX_TYPECLASS for text in tag.values()):
                what = f"a typeclass of column '{name}' holds texts of at most {MAX_TYPECLASS} characters."
                raise WriteArgumentError(dataset, what)
    return kept


def write_options(
    dataset: str,
    columns: Sequence[str],
    *,
    partition_cols: Sequence[str] | None,
    bucket_cols: Sequence[str] | None,
    bucket_count: int | None,
    sort_by: Sequence[str] | None,
    output_format: str | None,
    options: Mapping[str, Any] | None,
    column_descriptions: Mapping[str, str] | None,
    column_typeclasses: Mapping[str, Sequence[Mapping[str, str]]] | None,
) -> WriteOptions:
    """The checked arguments.

    Raises:
        WriteArgumentError: a column that does not exist, buckets without count, an unknown format, or bad metadata.
    """
    if output_format is not None and not isinstance(output_format, str):
        raise WriteArgumentError(dataset, f"output_format is the name of a format, got {output_format!r}.")
    chosen = (output_format or "parquet").lower()
    if chosen not in FORMATS:
        known = ", ".join(FORMATS)
        why = " It is Foundry's own format for time series." if chosen == "soho" else nearest(chosen, FORMATS)
        raise WriteArgumentError(dataset, f"output_format '{output_format}' is not available.{why} Known: {known}.")
    if (bucket_cols is None) != (bucket_count is None):
        raise WriteArgumentError(dataset, "bucket_cols and bucket_count go together.")
    if bucket_count is not None and (
        isinstance(bucket_count, bool) or not isinstance(bucket_count, int) or bucket_count < 1
    ):
        raise WriteArgumentError(dataset, f"bucket_count is a positive number, got {bucket_count!r}.")
    if options is not None and not isinstance(options, Mapping):
        raise WriteArgumentError(dataset, f"options is a dict for Spark's writer, got {options!r}.")
    partitions = _columns(dataset, "partition_cols", partition_cols, columns)
    if partitions and set(partitions) == set(columns):
        raise WriteArgumentError(dataset, "partition_cols names every column; at least one must remain in the files.")
    return WriteOptions(
        output_format=chosen,
        partition_cols=partitions,
        bucket_cols=_columns(dataset, "bucket_cols", bucket_cols, columns),
        bucket_count=bucket_count,
        sort_by=_columns(dataset, "sort_by", sort_by, columns),
        options={str(k): _option(v) for k, v in (options or {}).items()},
        column_descriptions=checked_descriptions(dataset, column_descriptions, columns),
        column_typeclasses=_typeclasses(dataset, column_typeclasses, columns),
    )


def _option(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def frame_of(spark: SparkSession, table: Any, dataset: str) -> DataFrame | None:
    """A pandas, Polars or Arrow table as a Spark frame; ``None`` for anything else.

    Types come from Arrow, so all-null and empty columns keep what the table knows about them; whole numbers beside
    nulls stay exact, and NaN stays apart from null where the table tells them apart.

    Raises:
        WriteArgumentError: a column holds what Spark has no type for, or values of several types.
    """
    import pandas as pd
    import pyarrow as pa
    from pyspark.errors import PySparkException

    from transforms.api._arrow import foreign_type

    if type(table).__module__.startswith("polars"):
        table = (table.collect() if hasattr(table, "collect") and not hasattr(table, "to_arrow") else table).to_arrow()
    for field in table.schema if isinstance(table, pa.Table) else ():
        if (foreign := foreign_type(field.type)) is not None:
            what = f"Spark cannot hold this table: column {field.name!r} is of the type {foreign}"
            raise WriteArgumentError(dataset, what)
    try:
        if isinstance(table, pa.Table):
            return _frame_of_arrow(spark, table)
        return _frame_of_pandas(spark, table) if isinstance(table, pd.DataFrame) else None
    except (PySparkException, pa.ArrowException) as error:
        raise WriteArgumentError(dataset, f"Spark cannot hold this table: {' '.join(map(str, error.args))}") from error


def _frame_of_arrow(spark: SparkSession, table: pa.Table) -> DataFrame:
    import pandas as pd
    import pyarrow as pa

    from transforms.api._arrow import spark_schema

    schema = spark_schema(table.schema)
    if not table.num_rows:
        return empty_frame(spark, schema)
    apart = {kind: pd.ArrowDtype(kind) for kind in (pa.float32(), pa.float64())}
    return spark.createDataFrame(table.to_pandas(integer_object_nulls=True, types_mapper=apart.get), schema)


def _frame_of_pandas(spark: SparkSession, table: pd.DataFrame) -> DataFrame:
    import pyarrow as pa

    unknown = table.empty or any(
        kind.name == "object" and table[name].isna().all() for name, kind in table.dtypes.items()
    )
    if not unknown or not len(table.columns):
        return spark.createDataFrame(table)
    from transforms.api._arrow import spark_schema

    schema = spark_schema(pa.Schema.from_pandas(table, preserve_index=False))
    return empty_frame(spark, schema) if table.empty else spark.createDataFrame(table, schema)
