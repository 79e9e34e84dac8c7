"""Labels: local days of the right device, with what the inventory says of them."""

from __future__ import annotations

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.ingestion.labels import LabelScheduleError, label_rows
from fleet_health.ingestion.text_files import NoTextFilesError
from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("air_handler")
COLUMNS = ["unit", "date", "component", "fault", "intensity", "label_in_file", "documented"]


def rows(*schedule: tuple[str, ...]) -> pd.DataFrame:
    assert PROFILE.labels is not None
    return label_rows(pd.DataFrame(schedule, columns=COLUMNS), PROFILE, PROFILE.labels)


def test_days_start_at_local_midnight_and_the_inventory_counts() -> None:
    found = rows(
        ("szcav", "2017-03-12", "cooling coil valve", "stuck", "fully open (100%)", "1", "fault"),
        ("mzvav_2_1", "2007-08-30", "heating coil valve", "leaking", "stage 3: 2.0 GPM", "0", "fault"),
        ("mzvav_2_1", "2009-05-30", "", "", "", "0", "not documented"),
    )
    assert found["event_timestamp"].map(str).tolist() == [
        "2017-03-12 08:00:00+00:00",
        "2007-08-30 06:00:00+00:00",
        "2009-05-30 06:00:00+00:00",
    ]
    assert found["label_type"].tolist() == ["anomaly_confirmed", "anomaly_confirmed", "normal_operation"]
    assert found["label_confidence"].tolist() == [0.9, 0.9, 0.5]
    assert found["failure_mode"].tolist() == ["cooling coil valve: stuck", "heating coil valve: leaking", None]
    assert found["notes"].tolist() == [
        "fully open (100%); label in file: 1",
        "stage 3: 2.0 GPM; label in file: 0",
        "label in file: 0",
    ]


@pytest.mark.parametrize(
    ("row", "problem"),
    [
        (("rooftop", "2017-03-12", "", "", "", "", "fault"), "unit 'rooftop' belongs to no device"),
        (("szcav", "12/3/2017", "", "", "", "", "fault"), "'12/3/2017' is no date"),
        (("szcav", "2017-03-12", "", "", "", "", "maybe"), "'maybe' is none of 'fault', 'unfaulted'"),
    ],
)
def test_wrong_schedules_name_row_and_problem(row: tuple[str, ...], problem: str) -> None:
    good = ("szcav", "2017-04-01", "", "", "", "0", "unfaulted")
    with pytest.raises(LabelScheduleError) as caught:
        rows(good, row)
    assert str(caught.value).startswith(f"/Fleet/air_handler/label_landing, data row 2: {problem}")
    assert "ingest it again" in str(caught.value)


def test_a_landing_dataset_without_a_table_says_what_to_ingest(spark: SparkSession) -> None:
    from fleet_health.ingestion.transforms import label_transform
    from transforms.api import Pipeline
    from transforms.verbs.testing.datastores import InMemoryDatastore
    from transforms.verbs.testing.TransformRunner import TransformRunner

    assert PROFILE.labels is not None
    job, pipeline, store = label_transform(PROFILE), Pipeline(), InMemoryDatastore()
    pipeline.add_transforms(job)
    store.store_files(PROFILE.labels.dataset, {"notes.txt": b"nothing"})
    with pytest.raises(NoTextFilesError, match=r"holds no \*\.csv file\. Add one"):
        TransformRunner(pipeline, store).run(spark, job)
