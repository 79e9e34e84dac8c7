"""Reads small datasets straight from the files of a view, without a Spark session."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.parquet as pq

from mirror.datasets import View
from mirror.datasets.storage import opened


def readable(view: View) -> bool:
    """Whether the view holds Parquet files that Arrow opens by itself."""
    return view.schema is not None and view.schema.format == "parquet" and bool(view.transactions)


def read_columns(view: View, wanted: Sequence[str] | None = None) -> pa.Table:
    """The rows of a Parquet view: the ``wanted`` columns it has (all by default), in the schema's order.

    A column that some file lacks is null there; a view without rows gives an empty table. Order is that of the files.
    """
    names = [] if view.schema is None else [n for n in view.schema.columns if wanted is None or n in wanted]
    visible = [
        entry for entry, file in zip(view.entries, view.files, strict=True) if not file.hidden and file.rows != 0
    ]
    if not readable(view) or not visible:
        return pa.table({name: pa.array([], pa.null()) for name in names})
    parts = []
    for entry in visible:
        with opened(entry) as source, pq.ParquetFile(source) as file:
            present = [name for name in names if name in file.schema_arrow.names]
            parts.append(file.read(columns=present))
    table = pa.concat_tables(parts, promote_options="permissive")
    for name in names:
        if name not in table.column_names:
            table = table.append_column(name, pa.nulls(table.num_rows))
    return table.select(names)
