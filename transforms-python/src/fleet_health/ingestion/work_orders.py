"""Work orders of a maintenance system, and the labels that completed ones are."""

from __future__ import annotations

import pandas as pd

from fleet_health.contracts.labels import LABEL_SCHEMA, MAINTENANCE_SYSTEM
from fleet_health.contracts.loader import enum
from fleet_health.ingestion import record_cells as cells
from fleet_health.local_days import local_day, zone_of
from fleet_health.profiles.model import Profile

COLUMNS = (
    *("event_id", "device_id", "event_type", "scheduled_date", "completed_date"),
    *("technician_id", "work_description", "parts_replaced", "triggered_by_alert_id"),
)
BEGINS, ENDS = "begins", "ends"
"""First instant of the local day of completion, and of the next one, in UTC; null while an order is open."""
_NEEDED = ("event_id", "device_id", "event_type")
_MEANING = {
    "preventive": "planned_maintenance",
    "corrective": "failure_confirmed",
    "emergency": "failure_confirmed",
}
"""A repair says that something was broken; work that was planned ahead says what people did, not how the unit was."""


def work_orders(table: pd.DataFrame, profile: Profile, dataset: str) -> pd.DataFrame:
    """One row per order.

    Args:
        table: text columns :data:`COLUMNS`, empty where unknown; all but id, unit and type may be missing. Days are
            written 2026-01-31 and are local to the unit; several parts are separated by semicolons.
        profile: its zones tell when the day of a unit begins.
        dataset: named in errors.

    Returns:
        :data:`COLUMNS`, then :data:`BEGINS` and :data:`ENDS`.

    Raises:
        LabelScheduleError: a column is missing, id or unit is empty, the type is none of the known ones, or a day
            cannot be read.
    """
    rows = cells.with_columns(table, COLUMNS, set(COLUMNS) - set(_NEEDED), dataset)
    cells.given(rows, _NEEDED, dataset)
    cells.words(rows["event_type"], enum("maintenance_events", "event_type"), dataset)
    for name in ("scheduled_date", "completed_date"):
        read = cells.days(rows[name], dataset)
        rows[name] = read.dt.date.astype(object).where(read.notna(), None)
    rows["parts_replaced"] = [_parts(text) for text in rows["parts_replaced"]]
    done = [
        (None, None) if day is None else local_day(day, zone_of(device, profile))
        for device, day in zip(rows["device_id"], rows["completed_date"], strict=True)
    ]
    for place, name in enumerate((BEGINS, ENDS)):
        rows[name] = pd.to_datetime(pd.Series([one[place] for one in done], index=rows.index, dtype=object), utc=True)
    return rows


def _parts(text: str | None) -> list[str] | None:
    return None if text is None else [part.strip() for part in text.split(";") if part.strip()]


def labels_of(orders: pd.DataFrame, confidence: float) -> pd.DataFrame:
    """Completed orders as rows of ``label_events``: one for a unit, day and kind of work, however many orders it took.

    An order knows no time of day. The event lies at the beginning of its day, so that nothing which came after it is
    taken for what led to it, and it was recorded when the day was over.
    """
    done = orders[orders["completed_date"].notna()].sort_values("event_id")
    rows = pd.DataFrame(
        {
            "device_id": done["device_id"],
            "event_timestamp": done[BEGINS],
            "label_type": done["event_type"].map(_MEANING),
            "label_source": MAINTENANCE_SYSTEM,
            "label_confidence": confidence,
            "labeled_at": done[ENDS],
            "alert_id": done["triggered_by_alert_id"],
            "notes": done["work_description"],
        }
    ).reindex(columns=LABEL_SCHEMA.fieldNames())
    rows["failure_mode"] = None
    return rows.drop_duplicates(["device_id", "event_timestamp", "label_type"], ignore_index=True)
