"""Work orders and verdicts: local days, what a completed order says as a label, and a refusal that names the row."""

from __future__ import annotations

from datetime import date
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.contracts.labels import LABEL_SCHEMA
from fleet_health.ingestion.labels import LabelScheduleError
from fleet_health.ingestion.reviews import EXPERT_SCHEMA, expert_labels
from fleet_health.ingestion.transforms import label_transform
from fleet_health.ingestion.work_orders import BEGINS, ENDS, labels_of, work_orders
from fleet_health.profiles.keys import ReasonedNumber
from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.model import Labels, Profile
from fleet_health.profiles.records import Exemplars
from transforms.api import Pipeline
from transforms.verbs.testing.datastores import InMemoryDatastore
from transforms.verbs.testing.TransformRunner import TransformRunner

FLEET = shipped_profile("refrigeration")
# any zone west of UTC would do
PROFILE = FLEET.model_copy(
    update={
        "source": FLEET.source.model_copy(
            update={"time": FLEET.source.time.model_copy(update={"zone": "America/Chicago"})}
        )
    }
)
ORDER = {"event_id": "W1", "device_id": "D1", "event_type": "corrective", "completed_date": "2026-03-08"}
VERDICT = {
    "device_id": "D1",
    "window_start": "2026-03-01T10:00:00",
    "model_id": "m_v1",
    "anomaly_score": "0.62",
    "expert_label": "uncertain",
    "expert_id": "E7",
    "labeled_at": "2026-03-09T09:00:00+01:00",
}


def orders(*changes: dict[str, Any], profile: Profile = PROFILE) -> pd.DataFrame:
    return work_orders(pd.DataFrame([{**ORDER, **change} for change in changes]).fillna(""), profile, "d")


def test_days_are_those_of_the_unit_and_an_open_order_has_none() -> None:
    found = orders({"parts_replaced": "fan; belt ;"}, {"completed_date": "", "scheduled_date": "2026-04-01"})
    # the clocks went forward on that day, so it has 23 hours
    assert [found[name][0] for name in (BEGINS, ENDS)] == [
        pd.Timestamp("2026-03-08T06:00:00Z"),
        pd.Timestamp("2026-03-09T05:00:00Z"),
    ]
    assert (found["completed_date"][0], found["scheduled_date"][1]) == (date(2026, 3, 8), date(2026, 4, 1))
    assert (found["parts_replaced"][0], found["parts_replaced"][1]) == (["fan", "belt"], None)
    assert found[[BEGINS, ENDS]].iloc[1].isna().all()


def test_a_completed_order_is_one_label_of_its_day() -> None:
    told = {"triggered_by_alert_id": "A1", "work_description": "new fan"}
    found = labels_of(
        orders(
            told,
            {"event_id": "W2", "event_type": "emergency"},  # the same repair, for which a second order was written
            {"event_id": "W3", "event_type": "preventive"},
            {"event_id": "W4", "completed_date": ""},
        ),
        0.8,
    )
    assert list(found.columns) == LABEL_SCHEMA.fieldNames()
    assert found["label_type"].tolist() == ["failure_confirmed", "planned_maintenance"]
    assert found.loc[0, ["label_source", "label_confidence", "alert_id", "notes"]].tolist() == [
        *("maintenance_system", 0.8, "A1", "new fan")
    ]
    assert found["event_timestamp"].tolist() == [pd.Timestamp("2026-03-08T06:00:00Z")] * 2
    assert found["labeled_at"].tolist() == [pd.Timestamp("2026-03-09T05:00:00Z")] * 2


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"event_type": "repair"}, "event_type 'repair' is none of preventive, corrective, emergency"),
        ({"completed_date": "8.3.2026"}, "completed_date '8.3.2026' is no day such as 2026-01-31"),
        ({"device_id": ""}, "device_id is empty"),
    ],
)
def test_an_order_that_cannot_be_read_is_refused_with_its_row(change: dict[str, str], told: str) -> None:
    with pytest.raises(LabelScheduleError) as caught:
        orders({}, change)
    assert str(caught.value).startswith(f"d, data row 2: {told}")


def test_verdicts_are_read_as_they_were_given() -> None:
    found = expert_labels(pd.DataFrame([VERDICT]), "d")
    assert list(found.columns) == EXPERT_SCHEMA.fieldNames()
    assert (found["anomaly_score"][0], found["notes"][0]) == (0.62, None)
    assert found["labeled_at"][0] == pd.Timestamp("2026-03-09T08:00:00Z")


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"expert_label": "true"}, "expert_label 'true' is none of true_positive, false_positive, uncertain"),
        ({"anomaly_score": "0,62"}, "anomaly_score '0,62' is no number"),
        ({"window_start": "monday"}, "window_start 'monday' is no ISO 8601 time"),
        ({"expert_id": ""}, "expert_id is empty"),
    ],
)
def test_a_verdict_that_cannot_be_read_is_refused_with_its_row(change: dict[str, str], told: str) -> None:
    with pytest.raises(LabelScheduleError, match=told.replace(".", r"\.")):
        expert_labels(pd.DataFrame([VERDICT, {**VERDICT, **change}]), "d")


@pytest.mark.nightly
def test_label_events_hold_files_of_labels_and_completed_orders(spark: SparkSession) -> None:
    assert PROFILE.maintenance is not None
    confidence = ReasonedNumber(value=0.8, reason="a technician saw the unit")
    told = PROFILE.maintenance.model_copy(update={"label_confidence": confidence})
    events = Labels(dataset="/labels", format="events", reason="tickets of the service desk")
    profile = PROFILE.model_copy(update={"maintenance": told, "labels": events})
    job, pipeline, store = label_transform(profile), Pipeline(), InMemoryDatastore()
    pipeline.add_transforms(job)
    label = (
        "device_id,event_timestamp,label_type,label_source,labeled_at\n"
        "D1,2026-03-01,false_positive,field_engineer,2026-03-02\n"
    )
    store.store_files("/labels", {"labels.csv": label.encode()})
    rows = pd.DataFrame([ORDER, {**ORDER, "event_id": "W2", "completed_date": ""}])
    store.store_files(told.dataset, {"orders.csv": rows.to_csv(index=False).encode()})
    TransformRunner(pipeline, store).run(spark, job)
    found = store.get_dataframe("/Fleet/refrigeration/label_events", spark).collect()
    assert {(row["label_type"], row["label_source"], row["label_confidence"]) for row in found} == {
        ("false_positive", "field_engineer", 0.9),
        ("failure_confirmed", "maintenance_system", 0.8),
    }


def test_orders_alone_are_labels_for_everybody_who_reads_labels() -> None:
    from fleet_health.feature_store.transforms import for_profile as feature_store
    from fleet_health.ingestion.transforms import for_profile as ingestion
    from fleet_health.monitoring.transforms import for_profile as monitoring
    from fleet_health.training_data.transforms import for_profile as training

    assert FLEET.maintenance is not None
    confidence = ReasonedNumber(value=0.8, reason="a technician saw the unit")
    told = FLEET.maintenance.model_copy(update={"label_confidence": confidence})
    profile = FLEET.model_copy(update={"maintenance": told, "exemplars": Exemplars(reason="failures are few")})
    made = {
        one.__name__.removeprefix("refrigeration_"): one
        for room in (ingestion, feature_store, training, monitoring)
        for one in room(profile)
    }
    assert [param.alias for param in made["read_labels"].inputs.values()] == [told.dataset]
    readers = {
        name
        for name, one in made.items()
        if "/Fleet/refrigeration/label_events" in {param.alias for param in one.inputs.values()}
    }
    assert readers == {
        *("assemble_training_data", "publish_drift_baselines", "compare_models"),
        *("check_label_alerts", "keep_failures"),
    }
    # scores come from the model and the model from training, so what holds scores is no source of labels
    assert "/Fleet/refrigeration/model_scores" in {one.alias for one in made["read_maintenance"].inputs.values()}
