"""``label_events`` that people and systems recorded one by one, in files with the columns of the dataset itself."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from fleet_health.contracts.labels import LABEL_SCHEMA
from fleet_health.ingestion.labels import LabelScheduleError

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
    names = LABEL_SCHEMA.fieldNames()
    missing = [name for name in names if name not in table.columns and name not in _OPTIONAL]
    if missing:
        raise LabelScheduleError(dataset, 0, f"the header lacks {', '.join(missing)}")
    rows = table.reindex(columns=names, fill_value="").replace("", None)
    for name in ("event_timestamp", "labeled_at"):
        read = pd.to_datetime(rows[name], utc=True, format="ISO8601", errors="coerce")
        _refuse(dataset, read.isna(), rows[name], f"{name} {{!r}} is no ISO 8601 time")
        rows[name] = read
    usual = rows["label_source"].map(CONFIDENCE)
    given = pd.to_numeric(rows["label_confidence"], errors="coerce")
    _refuse(dataset, given.isna() & rows["label_confidence"].notna(), rows["label_confidence"], "{!r} is no confidence")
    rows["label_confidence"] = given.fillna(usual)
    _refuse(dataset, rows["label_confidence"].isna(), rows["label_source"], "a label of {!r} needs a label_confidence")
    return rows


def _refuse(dataset: str, wrong: pd.Series[bool], shown: pd.Series[str], problem: str) -> None:
    if wrong.any():
        place = int(wrong.to_numpy().argmax())
        raise LabelScheduleError(dataset, place + 1, problem.format(shown.iloc[place]))
