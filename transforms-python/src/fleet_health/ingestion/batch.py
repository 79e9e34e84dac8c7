"""What every format hands over: some rows of a file as cells of text, and the lines that are none."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass, field

from fleet_health.ingestion.header import Header

DESERIALIZATION_FAILURE = "DESERIALIZATION_FAILURE"
SCHEMA_MISMATCH = "SCHEMA_MISMATCH"

Row = tuple[int, Sequence[str | None], str]
"""Line number, fields (``None`` where a record lacks the key) and text."""

Failure = tuple[int, str, str, str]
"""Line number, text, reason and detail."""


@dataclass
class Batch:
    """Rows that agree with ``header``, and what could not become one."""

    header: Header
    rows: list[Row] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.rows) + len(self.failures)


def unread(problem: str, text: str = "", number: int = 1) -> Batch:
    """A batch of nothing but one dead letter: the whole file, or the line of that number."""
    return Batch(Header(0, {}), failures=[(number, text, DESERIALIZATION_FAILURE, problem)])


def row_text(fields: Sequence[str | None]) -> str:
    """The text of a row that was never a line."""
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(fields)
    return line.getvalue()
