"""``expert_labels``: verdicts on scored windows, from files with the columns of the dataset itself."""

from __future__ import annotations

import pandas as pd

from fleet_health.contracts.loader import enum
from fleet_health.contracts.schemas import plain_schema
from fleet_health.ingestion import record_cells as cells

EXPERT_SCHEMA = plain_schema("expert_labels")


def expert_labels(table: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """One row per data row.

    Args:
        table: text columns named as in ``expert_labels``; only ``notes`` may be missing or empty. Times without an
            offset are UTC.
        dataset: named in errors.

    Raises:
        LabelScheduleError: a column is missing or a cell empty, a verdict is none of the known ones, a time or score
            cannot be read.
    """
    names = EXPERT_SCHEMA.fieldNames()
    rows = cells.with_columns(table, names, ("notes",), dataset)
    cells.given(rows, [name for name in names if name != "notes"], dataset)
    cells.words(rows["expert_label"], enum("expert_labels", "expert_label"), dataset)
    for name in ("window_start", "labeled_at"):
        rows[name] = cells.instants(rows[name], dataset)
    score = pd.to_numeric(rows["anomaly_score"], errors="coerce")
    cells.refuse(dataset, score.isna(), rows["anomaly_score"], "anomaly_score {!r} is no number")
    rows["anomaly_score"] = score
    return rows
