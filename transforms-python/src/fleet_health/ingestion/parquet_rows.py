"""Rows of a Parquet file as cells of text, so that one set of rules reads every fleet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

from fleet_health.ingestion.batch import SCHEMA_MISMATCH, Batch, Row, row_text, unread
from fleet_health.ingestion.header import match_header
from fleet_health.profiles.source import Source


def parquet(stream: IO[bytes], source: Source, most: int) -> Iterator[Batch]:
    """The rows of a Parquet file, at most so many at a time; the first has number 1. A file that is none, is one dead
    letter.

    A null is an empty cell. Instants read as ISO 8601, with the offset of UTC where the column has a zone; numbers as
    Python writes them, which loses nothing; a single-precision number as the double it stands for.
    """
    try:
        # the footer comes last, and a stream from a dataset need not seek
        file = pq.ParquetFile(pa.BufferReader(stream.read()))
    except (pa.ArrowInvalid, OSError) as error:
        problem = str(error).splitlines()[0]
        yield unread(f"the file is no whole Parquet file ({problem}); what it held is lost. Write it again.")
        return
    header = match_header(file.schema_arrow.names, source)
    number = 0
    for columns in file.iter_batches(batch_size=most):
        cells = zip(*(_cells(column) for column in columns.columns), strict=True)
        rows: list[Row] = [(number + place, row, row_text(row)) for place, row in enumerate(cells, start=1)]
        number += len(rows)
        if header.problem is None:
            yield Batch(header, rows)
        else:
            yield Batch(header, [], [(place, text, SCHEMA_MISMATCH, header.problem) for place, _, text in rows])


def _cells(column: pa.Array) -> list[str]:
    kind = column.type
    if pa.types.is_timestamp(kind):
        column = column.cast(pa.timestamp("us", tz=kind.tz), safe=False)
        return ["" if value is None else value.isoformat() for value in column.to_pylist()]
    if pa.types.is_dictionary(kind):
        return _cells(column.dictionary_decode())
    return ["" if value is None else _text(value) for value in column.to_pylist()]


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return repr(value) if isinstance(value, float) else str(value)
