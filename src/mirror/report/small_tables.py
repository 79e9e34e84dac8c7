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
        first: column that is not null in the rows that must be seen; they come before all others.
        last: (column, value) of the rows that need no attention and come after all others.
        largest_by: rows with the largest value of this column first; otherwise ordered by the columns shown.
        audience: who it is for.
    """

    title: str
    columns: tuple[str, ...] = ()
    newest_by: str | None = None
    largest_by: str | None = None
    first: str | None = None
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
    "scoring_run_metrics": Shown(
        "Scoring runs: when rules took over from the model, when they gave back, then the newest",
        (
            "scheduled_at",
            "outcome",
            "fallback_switch",
            "band",
            "score_age_minutes",
            "features_age_minutes",
            "page",
            "model_version",
            "devices_eligible",
            "devices_scored",
            "rows_scored",
        ),
        largest_by="scheduled_at",
        first="fallback_switch",
        rows=12,
    ),
    "model_release_config": Shown(
        "Which version does what, newest decision first",
        (
            "effective_from",
            "deployment_role",
            "model_id",
            "model_version",
            "traffic_fraction",
            "approved_by_role",
            "change_reason",
        ),
        audience="science",
        largest_by="effective_from",
        rows=12,
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
    if shown.largest_by in table.column_names:
        keys.insert(0, (shown.largest_by, "descending"))
    if keys and table.num_rows:
        table = table.sort_by(keys)
    if shown.first in table.column_names:
        told = pc.is_valid(table[shown.first])
        table = pa.concat_tables([table.filter(told), table.filter(pc.invert(told))])
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
