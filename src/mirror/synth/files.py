"""How tables become files. CSV is what a gateway's landing zone holds, Parquet what is quick to read back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq

LIST_SEPARATOR = ";"


def write_parquet(table: pa.Table, path: Path) -> None:
    """Snappy-compressed Parquet; nulls are null and NaN is NaN."""
    # A dictionary only lengthens random doubles and ids that occur once; the others repeat.
    texts = [name for name in table.column_names if pa.types.is_string(table.schema.field(name).type)]
    pq.write_table(table, path, use_dictionary=[name for name in texts if name != "event_id"])


def write_csv(table: pa.Table, path: Path) -> None:
    """UTF-8 with a header and no quotes: null is empty, NaN is ``nan``, times are ISO 8601 in UTC, lists use ``;``."""
    plain = pa.table({name: _text(table[name]) for name in table.column_names})
    with path.open("wb") as stream:
        stream.write((",".join(table.column_names) + "\n").encode())
        csv.write_csv(plain, stream, csv.WriteOptions(include_header=False, quoting_style="none"))


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
    return pc.binary_join(column, LIST_SEPARATOR) if pa.types.is_list(column.type) else column


WRITERS: Mapping[str, Callable[[pa.Table, Path], None]] = {"parquet": write_parquet, "csv": write_csv}
"""Format (and file suffix) -> writer."""
