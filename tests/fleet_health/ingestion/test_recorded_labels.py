"""Labels that come one by one: usual confidence, times in UTC, and a refusal that names the row."""

from __future__ import annotations

import pandas as pd
import pytest

from fleet_health.contracts.labels import LABEL_SCHEMA
from fleet_health.ingestion.labels import LabelScheduleError
from fleet_health.ingestion.recorded_labels import recorded_labels

ROW = {
    "device_id": "REF-1",
    "event_timestamp": "2026-02-01T10:00:00+02:00",
    "label_type": "failure_confirmed",
    "label_source": "field_engineer",
    "labeled_at": "2026-02-03",
}


def test_what_is_not_said_has_its_usual_value() -> None:
    rows = recorded_labels(pd.DataFrame([ROW, {**ROW, "label_source": "automated_heuristic"}]), "d")
    assert list(rows.columns) == LABEL_SCHEMA.fieldNames()
    assert rows["label_confidence"].tolist() == [0.9, 0.5]
    assert rows["event_timestamp"].iloc[0] == pd.Timestamp("2026-02-01T08:00:00Z")
    assert rows["alert_id"].isna().all()


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"labeled_at": "yesterday"}, "d, data row 2: labeled_at 'yesterday' is no ISO 8601 time"),
        ({"label_confidence": "high"}, "d, data row 2: 'high' is no confidence"),
        ({"label_source": "maintenance_system"}, "a label of 'maintenance_system' needs a label_confidence"),
    ],
)
def test_what_cannot_be_read_is_refused_with_its_row(change: dict[str, str], told: str) -> None:
    with pytest.raises(LabelScheduleError) as caught:
        recorded_labels(pd.DataFrame([ROW, {**ROW, **change}]).fillna(""), "d")
    assert told in str(caught.value)


def test_a_missing_column_is_named() -> None:
    with pytest.raises(LabelScheduleError, match="the header lacks labeled_at"):
        recorded_labels(pd.DataFrame([ROW]).drop(columns="labeled_at"), "d")
