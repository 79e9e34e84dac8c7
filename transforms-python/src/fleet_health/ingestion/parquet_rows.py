"""Rows of a Parquet file as cells of text, so that one set of rules reads every fleet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

import pyarrow as pa
import pyarrow.parquet as pq

Rows = list[list[str]]


class NotParquetError(ValueError):
    """The bytes are no Parquet file, or a torn one."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem

    def __str__(self) -> str:
        return f"the file is no whole Parquet file ({self.problem}); what it held is lost. Write it again."


def read_rows(stream: IO[bytes], batch_rows: int) -> tuple[list[str], Iterator[Rows]]:
    """Column names, and the rows in batches.

    A null is an empty cell. Instants read as ISO 8601, with the offset of UTC where the column has a zone; numbers as
    Python writes them, which loses nothing; a single-precision number as the double it stands for.

    Raises:
        NotParquetError: the file does not open.
    """
    try:
        # the footer comes last, and a stream from a dataset need not seek
        file = pq.ParquetFile(pa.BufferReader(stream.read()))
    except (pa.ArrowInvalid, OSError) as error:
        raise NotParquetError(str(error).splitlines()[0]) from error
    names = file.schema_arrow.names

    def batches() -> Iterator[Rows]:
        for batch in file.iter_batches(batch_size=batch_rows):
            columns = [_cells(column) for column in batch.columns]
            yield [list(row) for row in zip(*columns, strict=True)]

    return names, batches()


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
