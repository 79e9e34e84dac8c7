"""``label_events`` that people and systems recorded one by one, in files with the columns of the dataset itself."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from fleet_health.contracts.labels import LABEL_SCHEMA
from fleet_health.ingestion import record_cells as cells

CONFIDENCE: Mapping[str, float] = {"field_engineer": 0.9, "automated_heuristic": 0.5}
"""What counts where the file says nothing: a person at the unit is seldom wrong, a rule often is."""
_OPTIONAL = ("label_confidence", "alert_id", "failure_mode", "notes")


def recorded_labels(table: pd.DataFrame, dataset: str) -> pd.DataFrame:
    """One row per data row.

    Args:
        table: text columns named as in ``label_events``, empty where unknown; confidence, alert, failure mode and notes
            may be missing. Times without an offset are UTC.
        dataset: named in errors.

    Raises:
        LabelScheduleError: a column is missing, a time or number cannot be read, or a source without a usual confidence
            gives none.
    """
    rows = cells.with_columns(table, LABEL_SCHEMA.fieldNames(), _OPTIONAL, dataset)
    for name in ("event_timestamp", "labeled_at"):
        rows[name] = cells.instants(rows[name], dataset)
    usual = rows["label_source"].map(CONFIDENCE)
    told = rows["label_confidence"]
    given = pd.to_numeric(told, errors="coerce")
    cells.refuse(dataset, given.isna() & told.notna(), told, "{!r} is no confidence")
    confidence = given.fillna(usual)
    cells.refuse(dataset, confidence.isna(), rows["label_source"], "a label of {!r} needs a label_confidence")
    return rows.assign(label_confidence=confidence)
