"""How tables become files. CSV is what a gateway's landing zone holds, Parquet what is quick to read back."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as csv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from mirror.synth.readings import TEXT

LIST_SEPARATOR = ";"


def write_parquet(table: pa.Table, path: Path) -> None:
    """Snappy-compressed Parquet; nulls are null and NaN is NaN."""
    # A dictionary only lengthens random doubles and ids that occur once; the others repeat.
    texts = [name for name in table.column_names if pa.types.is_string(table.schema.field(name).type)]
    pq.write_table(table, path, use_dictionary=[name for name in texts if name != "event_id"])


def write_csv(table: pa.Table, path: Path) -> None:
    """UTF-8 with a header and no quotes: null is empty, NaN is ``nan``, times are ISO 8601 in UTC, lists use ``;``."""
    path.write_bytes(_lines(table))


def write_garbled_csv(table: pa.Table, garbled: NDArray[np.int8], path: Path) -> None:
    """The same with broken lines: cut off in the middle, or with text in the first column of numbers.

    ``garbled`` has one entry per row, see :class:`~mirror.synth.readings.Readings`.
    """
    header, *lines = _lines(table).splitlines(keepends=True)
    number = next(n for n, field in enumerate(table.schema) if pa.types.is_floating(field.type))
    for row in np.flatnonzero(garbled):
        if garbled[row] == TEXT:
            cells = lines[row].split(b",")
            lines[row] = b",".join([*cells[:number], b"#ERR", *cells[number + 1 :]])
        else:
            lines[row] = lines[row][: len(lines[row]) // 2] + b"\n"
    path.write_bytes(b"".join([header, *lines]))


def _lines(table: pa.Table) -> bytes:
    plain = pa.table({name: _text(table[name]) for name in table.column_names})
    stream = io.BytesIO()
    stream.write((",".join(table.column_names) + "\n").encode())
    csv.write_csv(plain, stream, csv.WriteOptions(include_header=False, quoting_style="none"))
    return stream.getvalue()


def _text(column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_timestamp(column.type):
        return pc.strftime(column, format="%Y-%m-%dT%H:%M:%SZ")
    return pc.binary_join(column, LIST_SEPARATOR) if pa.types.is_list(column.type) else column


WRITERS: Mapping[str, Callable[[pa.Table, Path], None]] = {"parquet": write_parquet, "csv": write_csv}
"""Format (and file suffix) -> writer."""
