"""A few rows of a view without Spark, for people to look at."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import unquote

from mirror.datasets.errors import UnreadableDataError
from mirror.datasets.records import StoredSchema, View
from mirror.datasets.storage import open_stream, opened
from transforms.ports import FileEntry

if TYPE_CHECKING:
    import pyarrow as pa


def first_rows(view: View, count: int) -> list[dict[str, Any]]:
    """The first ``count`` rows in the order of the files, columns as the schema names them; missing ones are null.

    Formats that only Spark reads (Avro) give no rows. Raises UnreadableDataError.
    """
    schema = view.schema
    if schema is None or count == 0:
        return []
    shown = (entry for entry, file in zip(view.entries, view.files, strict=True) if not file.hidden)
    rows = itertools.chain.from_iterable(_rows(view, entry, schema) for entry in shown)
    return list(itertools.islice(rows, count))


def _rows(view: View, file: FileEntry, schema: StoredSchema) -> Iterator[dict[str, Any]]:
    import pyarrow as pa

    inside = [name for name in schema.columns if name not in schema.path_columns]
    folders = dict(part.split("=", 1) for part in file.path.split("/")[:-1] if "=" in part)
    try:
        for batch in _batches(file, schema, inside):
            for values in batch.to_pylist():
                row = {name: values.get(name) for name in inside}
                for name in schema.path_columns:
                    raw = folders.get(name)
                    row[name] = None if raw in (None, "__HIVE_DEFAULT_PARTITION__") else unquote(str(raw))
                yield {name: row[name] for name in schema.columns}
    except (pa.ArrowInvalid, OSError) as error:
        raise UnreadableDataError(view.dataset.path, file.path, str(error)) from error


def _batches(file: FileEntry, schema: StoredSchema, names: list[str]) -> Iterator[pa.RecordBatch]:
    if schema.format == "text":
        import pyarrow as pa

        with open_stream(file, "r", encoding="utf-8", errors="replace") as stream:
            yield pa.RecordBatch.from_pydict({names[0]: [line.rstrip("\n") for line in itertools.islice(stream, 256)]})
        return
    with opened(file) as source:
        yield from _parsed(source, schema, names)


def _parsed(source: str | IO[bytes], schema: StoredSchema, names: list[str]) -> Iterator[pa.RecordBatch]:
    if schema.format == "parquet":
        import pyarrow.parquet as pq

        with pq.ParquetFile(source) as file:
            yield from file.iter_batches(batch_size=256)
    elif schema.format == "csv":
        import pyarrow.csv as pc

        header = schema.options.get("header", "false").lower() == "true"
        reading = pc.ReadOptions(column_names=None if header else names, block_size=1 << 20)
        # Spark escapes a quote by a backslash unless told otherwise.
        quote, escape = schema.options.get("quote", '"'), schema.options.get("escape", "\\")
        parsing = pc.ParseOptions(
            delimiter=schema.options.get("sep", schema.options.get("delimiter", ",")),
            quote_char=quote or False,
            escape_char=False if escape in ("", quote) else escape,
            newlines_in_values=schema.options.get("multiLine", "false").lower() == "true",
        )
        with pc.open_csv(source, read_options=reading, parse_options=parsing) as reader:
            yield from reader
    elif schema.format == "json":
        import pyarrow.json as pj

        yield from pj.read_json(source).to_batches()
    elif schema.format == "orc":
        from pyarrow import orc

        yield from orc.ORCFile(source).read().to_batches()
