"""Windows and labels as they were known: all cases are devices of one frame, joined in one Spark job."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.contracts.labels import LABEL_SCHEMA
from fleet_health.feature_store.errors import OrphanLabelError, UnknownLabelError
from fleet_health.feature_store.labels import join_integrity, refuse_orphans, refuse_unknown_words
from fleet_health.feature_store.point_in_time import as_of, labelled
from fleet_health.profiles.keys import ReasonedNumber
from fleet_health.profiles.learning import Training

EVENT = pd.Timestamp("2026-02-02")
AS_OF = datetime(2026, 2, 5, tzinfo=UTC)
KNOWN = pd.Timestamp("2026-02-04")
REASON = "as the case demands it"


def version(
    device: str, end: str | pd.Timestamp, value: float = 1.0, computed: str | None = None, readings: int = 15
) -> tuple[Any, ...]:
    until = pd.Timestamp(end)
    known = until + pd.Timedelta(minutes=20) if computed is None else pd.Timestamp(computed)
    return device, until - pd.Timedelta(minutes=15), until, 15, value, known, readings


def before(hours: float) -> pd.Timestamp:
    return EVENT - pd.Timedelta(hours=hours)


def label(
    device: str,
    event: pd.Timestamp = EVENT,
    kind: str = "failure_confirmed",
    source: str = "field_engineer",
    confidence: float = 0.9,
    recorded: pd.Timestamp = KNOWN,
    alert: str | None = None,
) -> tuple[Any, ...]:
    return device, event, kind, source, confidence, recorded, alert, None, None


HOURS = (200.0, 192.25, 192.0, 100.0, 24.25, 24.0, 23.75, 0.25, -1.0)
VERSIONS = [
    *(version("windows", before(hours)) for hours in HOURS),
    version("examples", "2026-02-01T00:00:00"),
    version("examples", "2026-01-31T23:45:00"),
    version("examples", "2026-02-01T12:00:00"),
    version("recorded-late", before(48)),
    version("recorded-then", before(48)),
    version("neighbour", before(48)),
    version("two-events", before(48)),
    version("two-opinions", before(48)),
    version("maintained", before(48)),
    version("unlabelled", before(48)),
    version("recomputed", before(48), 1.0, "2026-01-31T00:20:00"),
    version("recomputed", before(48), 2.0, "2026-02-04T23:00:00"),
    version("recomputed", before(48), 3.0, "2026-02-05T00:00:01"),
    version("late-reading", before(48), 14.0, "2026-01-31T00:20:00"),
    version("late-reading", before(48), 15.0, "2026-02-06T08:00:00"),
    version("landed-late", before(48), 15.0, "2026-01-31T00:20:00"),
    version("landed-late", before(48), 14.0, "2026-01-31T00:20:00", readings=14),
    version("known-later", before(48), 9.0, "2026-02-06T08:00:00"),
]
LABELS = [
    label("windows"),
    label("examples"),
    label("recorded-late", recorded=pd.Timestamp("2026-02-05T00:00:01")),
    label("recorded-then", recorded=pd.Timestamp("2026-02-05T00:00:00")),
    label("two-events", EVENT + pd.Timedelta(hours=12), confidence=1.0),
    label("two-events", kind="anomaly_confirmed", source="automated_heuristic", confidence=0.5),
    label("two-opinions", kind="false_positive", source="operator_feedback", confidence=0.8),
    label("two-opinions", kind="normal_operation", source="maintenance_system", confidence=0.85),
    label("maintained", before(12), kind="planned_maintenance"),
    label("maintained"),
]


def training(buffer: float, lookback: float = 168.0) -> Training:
    return Training(
        label_delay_buffer_hours=ReasonedNumber(value=buffer, reason=REASON),
        label_lookback_hours=ReasonedNumber(value=lookback, reason=REASON),
    )


@pytest.fixture(scope="module")
def joined(spark: SparkSession) -> pd.DataFrame:
    """The join with buffers of 24, 0 and 168 hours; indexed by buffer, device and end of the window."""
    columns = [
        "device_id",
        "window_start",
        "window_end",
        "window_duration_minutes",
        "value",
        "computed_at",
        "reading_count",
    ]
    kinds = "device_id string, window_start timestamp, window_end timestamp, window_duration_minutes int"
    versions = spark.createDataFrame(
        pd.DataFrame(VERSIONS, columns=columns), f"{kinds}, value double, computed_at timestamp, reading_count int"
    )
    labels = spark.createDataFrame(pd.DataFrame(LABELS, columns=LABEL_SCHEMA.fieldNames()), LABEL_SCHEMA)
    rows = as_of(versions, AS_OF)
    made = [labelled(rows, labels, AS_OF, training(buffer)) for buffer in (24, 0, 168)]
    table = made[0].unionByName(made[1]).unionByName(made[2]).toPandas()
    return table.set_index(["label_delay_buffer_hours", "device_id", "window_end"]).sort_index()


def hours_with_label(joined: pd.DataFrame, buffer: int) -> set[float]:
    rows = joined.loc[(buffer, "windows")]
    ends = rows.index[rows["label"].notna()]
    return {float(hours) for hours in (EVENT - ends) / pd.Timedelta(hours=1)}


def one(joined: pd.DataFrame, device: str) -> Any:
    rows = joined.loc[(24, device)]
    assert len(rows) == 1
    return rows.iloc[0]


@pytest.mark.case("FST-HP-01")
def test_only_windows_before_the_buffer_join(joined: pd.DataFrame) -> None:
    assert hours_with_label(joined, 24) == {192.0, 100.0, 24.25}
    labelled_rows = joined.loc[(24, "windows")].dropna(subset=["label"])
    assert set(labelled_rows["label"]) == {"pre_failure"}
    assert set(labelled_rows["label_source"]) == {"field_engineer"}
    assert set(labelled_rows["label_timestamp"]) == {EVENT}


@pytest.mark.case("FST-EC-02")
def test_the_buffer_moves_the_join(joined: pd.DataFrame) -> None:
    assert hours_with_label(joined, 0) == {100.0, 24.25, 24.0, 23.75, 0.25}
    assert hours_with_label(joined, 168) == {200.0, 192.25, 192.0}


@pytest.mark.case("FST-FL-01")
def test_the_three_boundary_examples(joined: pd.DataFrame) -> None:
    rows = joined.loc[(24, "examples")]["label"].notna()
    given = ("2026-02-01T00:00:00", "2026-01-31T23:45:00", "2026-02-01T12:00:00")
    assert [bool(rows[pd.Timestamp(end)]) for end in given] == [False, True, False]


@pytest.mark.case("FST-FL-02")
def test_a_label_recorded_later_is_invisible(joined: pd.DataFrame) -> None:
    assert one(joined, "recorded-late")["label"] is None
    assert one(joined, "recorded-then")["label"] == "pre_failure"


@pytest.mark.case("FST-FL-03")
def test_training_sees_the_value_of_then(joined: pd.DataFrame) -> None:
    assert one(joined, "recomputed")["value"] == 2.0


@pytest.mark.case("FST-FL-05")
def test_a_reading_that_came_later_is_not_in_the_features(joined: pd.DataFrame) -> None:
    """Its own time lies in the window; it was received after the instant, and so was the row that holds it."""
    assert one(joined, "late-reading")["value"] == 14.0
    assert one(joined, "landed-late")["value"] == 15.0  # one version, written twice
    assert ("known-later",) not in {(device,) for _, device, _ in joined.index}


@pytest.mark.case("FST-DI-03")
def test_a_label_belongs_to_its_own_device(joined: pd.DataFrame) -> None:
    assert one(joined, "neighbour")["label"] is None
    assert one(joined, "unlabelled")["label"] is None


@pytest.mark.case("FST-EC-01")
def test_of_two_events_the_earlier_speaks_in_one_row(joined: pd.DataFrame) -> None:
    row = one(joined, "two-events")
    assert (row["label"], row["label_source"], row["label_timestamp"]) == ("anomaly_confirmed", "heuristic", EVENT)
    tie = one(joined, "two-opinions")
    assert (tie["label"], tie["label_source"]) == ("normal", "maintenance_record")


@pytest.mark.case("FST-NU-04")
def test_a_row_without_label_stays_with_three_nulls(joined: pd.DataFrame) -> None:
    row = one(joined, "unlabelled")
    assert [row[name] for name in ("label", "label_source")] == [None, None]
    assert pd.isna(row["label_timestamp"])
    assert len(joined.loc[24]) == len({row[:3] for row in VERSIONS}) - 1  # only what was known later is missing


def test_planned_work_has_no_class_and_hides_no_failure(joined: pd.DataFrame) -> None:
    assert one(joined, "maintained")["label"] == "pre_failure"


def test_words_and_alerts_nobody_knows_are_refused(spark: SparkSession) -> None:
    rows = [label("a", kind="exploded"), label("b", kind="burnt"), label("c")]
    labels = spark.createDataFrame(pd.DataFrame(rows, columns=LABEL_SCHEMA.fieldNames()), LABEL_SCHEMA)
    with pytest.raises(UnknownLabelError) as caught:
        refuse_unknown_words(labels, "/Fleet/x/label_events")
    assert "/Fleet/x/label_events: label_type holds 'burnt', 'exploded'. Known names: anomaly_confirmed" in str(
        caught.value
    )


@pytest.mark.case("FST-BI-05")
def test_an_alert_that_does_not_exist_is_refused_with_its_id(spark: SparkSession) -> None:
    rows = [label("a", alert="al-1"), label("b", alert="al-9"), label("c")]
    labels = spark.createDataFrame(pd.DataFrame(rows, columns=LABEL_SCHEMA.fieldNames()), LABEL_SCHEMA)
    alerts = spark.createDataFrame(pd.DataFrame({"alert_id": ["al-1", "al-2"]}))
    with pytest.raises(OrphanLabelError) as caught:
        refuse_orphans(labels, alerts, "/Fleet/x/label_events", "/Fleet/x/device_alerts")
    assert "1 alert_id(s) are not in /Fleet/x/device_alerts: al-9. Correct the id" in str(caught.value)


@pytest.mark.nightly
def test_the_share_of_alerts_that_exist(spark: SparkSession) -> None:
    rows = [label("a", alert="al-1"), label("b", alert="al-9"), label("c")]
    labels = spark.createDataFrame(pd.DataFrame(rows, columns=LABEL_SCHEMA.fieldNames()), LABEL_SCHEMA)
    counted = join_integrity(labels, spark.createDataFrame([("al-1",)], "alert_id string")).collect()[0]
    assert counted.asDict() == {"labels": 3, "labels_with_alert": 2, "join_integrity": 0.5}
