"""Small datasets shown as they are: the newest rows, the telling columns, a bounded number of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mirror.datasets import View
from mirror.health.rows import read_columns
from mirror.report.snapshot import Table


@dataclass(frozen=True)
class Shown:
    """How a dataset is shown.

    Attributes:
        columns: those to show, in order; all there are when none is named or none is there.
        newest_by: only rows that have the greatest value of this column.
        last: (column, value) of the rows that need no attention and come after all others.
        audience: who it is for.
    """

    title: str
    columns: tuple[str, ...] = ()
    newest_by: str | None = None
    last: tuple[str, str] | None = None
    rows: int = 40
    audience: str = "operations"


SHOWN = {
    "row_conservation": Shown("Every row accounted for", ("source_file", "outcome", "reason", "rows")),
    "detection_report": Shown(
        "Detection against known faults",
        (
            "device_id",
            "unit",
            "auc",
            "fault_count",
            "fault_free_count",
            "fault_score_mean",
            "fault_free_score_mean",
            "training_days_left_out",
            "uncertain_days_left_out",
        ),
        audience="science",
    ),
    "pipeline_health_metrics": Shown(
        "Pipeline health, newest measurement",
        ("metric_id", "dataset_name", "dimension", "value", "expected_value", "threshold", "status", "severity"),
        newest_by="measured_at",
        last=("status", "OK"),
    ),
}
"""Dataset name -> how it is shown, in the order of the page."""


def small_table(view: View, shown: Shown) -> Table:
    """The dataset as text cells; numbers to four digits, times to the minute."""
    table = read_columns(view)
    if shown.newest_by in table.column_names and table.num_rows:
        column = table[shown.newest_by]
        table = table.filter(pc.equal(column, pc.max(column)))
    names = [name for name in shown.columns if name in table.column_names] or table.column_names
    keys = [(name, "ascending") for name in names if not pa.types.is_nested(table.schema.field(name).type)]
    if keys and table.num_rows:
        table = table.sort_by(keys)
    if shown.last is not None and shown.last[0] in table.column_names:
        calm = pc.equal(table[shown.last[0]], shown.last[1])
        table = pa.concat_tables([table.filter(pc.invert(calm)), table.filter(calm)])
    rows = table.select(names).slice(0, shown.rows).to_pylist()
    return Table(
        title=shown.title,
        columns=tuple(name.replace("_", " ") for name in names),
        rows=tuple(tuple(_cell(row[name]) for name in names) for row in rows),
        total=table.num_rows,
        audience=shown.audience,
    )


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
