"""Training rows: the declared days and nothing else."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from fleet_health.local_days import local_day


@pytest.mark.parametrize(
    ("day", "zone", "hours", "start"),
    [
        (date(2017, 9, 20), "Etc/GMT+8", 24, datetime(2017, 9, 20, 8, tzinfo=UTC)),
        (date(2017, 3, 12), "America/Los_Angeles", 23, datetime(2017, 3, 12, 8, tzinfo=UTC)),
        (date(2017, 11, 5), "America/Los_Angeles", 25, datetime(2017, 11, 5, 7, tzinfo=UTC)),
    ],
)
def test_local_days(day: date, zone: str, hours: int, start: datetime) -> None:
    first, last = local_day(day, zone)
    assert first == start
    assert (last - first).total_seconds() == hours * 3600


def test_seven_declared_days_train(lbnl: Any) -> None:
    rows = lbnl.frame("training_data").toPandas()
    per_day = rows.groupby(["device_id", (rows["window_start"] - _offset(rows)).dt.date.map(str)]).size().to_dict()
    declared = {(days.device_id, str(day)): 96 for days in lbnl.profile.model.training_days for day in days.days}
    assert per_day == declared
    assert len(declared) == 7


def _offset(rows: Any) -> Any:
    import pandas as pd

    return rows["device_id"].map({"AHU-ERS-A-MZVAV": pd.Timedelta(hours=6)}).fillna(pd.Timedelta(hours=8))


def test_no_training_day_has_a_fault(lbnl: Any) -> None:
    labels = lbnl.frame("label_events").toPandas()
    faulty = {
        (row.device_id, row.event_timestamp)
        for row in labels.itertuples()
        if row.label_type == "anomaly_confirmed" or row.label_confidence < 0.9
    }
    rows = lbnl.frame("training_data").toPandas()
    days = {
        (r.device_id, (r.window_start - _offset(rows)[i]).normalize() + _offset(rows)[i])
        for i, r in rows.drop_duplicates(["device_id", "window_start"]).iloc[::96].iterrows()
    }
    assert len(days) == 7
    assert not days & faulty


def test_vectors_are_complete_and_named(lbnl: Any) -> None:
    rows = lbnl.frame("training_data").toPandas()
    assert {tuple(names) for names in rows["feature_names"]} == {lbnl.profile.model_features}
    assert rows["feature_vector"].map(len).unique().tolist() == [42]
    assert not rows["feature_vector"].map(lambda v: any(x is None or x != x for x in v)).any()
    assert rows["label"].isna().all()
    assert rows["snapshot_id"].nunique() == 1
