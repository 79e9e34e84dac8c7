"""``label_events`` from the inventory of known faults. For evaluation only; no feature or training row sees it."""

from __future__ import annotations

import fnmatch
from datetime import date

import pandas as pd
from pyspark.sql import DataFrame, SparkSession

from fleet_health.contracts.labels import LABEL_SCHEMA
from fleet_health.local_days import local_day, zone_of
from fleet_health.profiles.model import Labels, Profile

# What the inventory says of a day -> label, source, confidence. The file's own label column is kept in the notes only:
# it calls one documented fault day fault-free.
_MEANING = {
    "fault": ("anomaly_confirmed", "field_engineer", 0.9),
    "unfaulted": ("normal_operation", "field_engineer", 0.9),
    "not documented": ("normal_operation", "automated_heuristic", 0.5),
}


class LabelScheduleError(ValueError):
    """A file of labels, work orders or verdicts names a day, a unit or a word that cannot be understood.

    Attributes:
        dataset: where it was read from.
        row: 1-based data row.
        problem: what is wrong.
    """

    def __init__(self, dataset: str, row: int, problem: str) -> None:
        super().__init__(dataset, row, problem)
        self.dataset, self.row, self.problem = dataset, row, problem

    def __str__(self) -> str:
        return f"{self.dataset}, data row {self.row}: {self.problem}. Correct the file and ingest it again."


def label_rows(schedule: pd.DataFrame, profile: Profile, labels: Labels) -> pd.DataFrame:
    """One label per unit and local day.

    Args:
        schedule: text columns ``unit, date, component, fault, intensity, label_in_file, documented``, empty if unknown.
        profile: its ``source.devices`` tell which device a unit's file belongs to.
        labels: when the inventory was recorded.

    Raises:
        LabelScheduleError: an unknown unit, date or word in ``documented``.
    """
    rows = []
    for number, row in enumerate(schedule.to_dict("records"), start=1):
        device = next((d.device_id for d in profile.source.devices if fnmatch.fnmatchcase(row["unit"], d.file)), None)
        if device is None:
            raise LabelScheduleError(
                labels.dataset, number, f"unit {row['unit']!r} belongs to no device of the profile"
            )
        if row["documented"] not in _MEANING:
            known = ", ".join(map(repr, _MEANING))
            raise LabelScheduleError(labels.dataset, number, f"{row['documented']!r} is none of {known}")
        try:
            start, _ = local_day(date.fromisoformat(row["date"]), zone_of(device, profile))
        except ValueError as error:
            raise LabelScheduleError(labels.dataset, number, f"{row['date']!r} is no date") from error
        kind, source, confidence = _MEANING[row["documented"]]
        mode = f"{row['component']}: {row['fault']}" if row["fault"] else None
        notes = f"{row['intensity']}; label in file: {row['label_in_file']}".removeprefix("; ")
        rows.append((device, start, kind, source, confidence, labels.recorded_at, None, mode, notes))
    frame = pd.DataFrame(rows, columns=LABEL_SCHEMA.fieldNames())
    for column in ("event_timestamp", "labeled_at"):
        frame[column] = pd.to_datetime(frame[column], utc=True)
    return frame


def label_events(spark: SparkSession, schedule: pd.DataFrame, profile: Profile, labels: Labels) -> DataFrame:
    """The rows of ``label_events``."""
    return spark.createDataFrame(label_rows(schedule, profile, labels), LABEL_SCHEMA)
