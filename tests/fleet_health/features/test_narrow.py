"""Wide rows to narrow ones and back."""

from __future__ import annotations

from datetime import UTC, datetime

import case_fleet as fleet
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.contracts.clean import clean_schema
from fleet_health.features.errors import UnknownSensorError
from fleet_health.features.narrow import narrow_readings, null_rows, wide_readings

PROFILE = fleet.PROFILE
ROWS = [fleet.full("a", 0), fleet.full("a", 1, **{fleet.LOW: None}), fleet.full("b", 0, door_open_close=False)]


@pytest.fixture(scope="module")
def pivoted(spark: SparkSession) -> dict[str, pd.DataFrame]:
    clean = spark.createDataFrame(fleet.frame(ROWS, 1), clean_schema(PROFILE))
    kept = narrow_readings(clean, PROFILE, nulls="keep")
    dropped = narrow_readings(clean, PROFILE, nulls="drop")
    found = {"kept": kept, "dropped": dropped, "nulls": null_rows(clean, PROFILE)}
    return {name: frame.toPandas() for name, frame in found.items()} | {"clean": clean.toPandas()}


@pytest.mark.case("XSN-HP-03")
def test_a_reading_has_a_narrow_row_per_sensor_and_keeps_its_values(pivoted: dict[str, pd.DataFrame]) -> None:
    kept, clean = pivoted["kept"], pivoted["clean"]
    assert kept.groupby("event_id").size().tolist() == [14] * 3
    booleans = [s.name for s in PROFILE.sensors if s.type == "boolean"]
    assert sorted(kept[kept["sensor"].isin(booleans)]["value"]) == [0.0, 1.0, 1.0, 1.0, 1.0, 1.0]
    sums = kept.groupby("sensor")["value"].sum()
    for name in PROFILE.sensor_names:
        assert sums[name] == clean[name].astype("float64").sum(), name


@pytest.mark.case("XSN-NU-04")
def test_rows_without_a_value_are_kept_or_dropped_as_asked_and_counted(pivoted: dict[str, pd.DataFrame]) -> None:
    assert (len(pivoted["kept"]), int(pivoted["kept"]["value"].isna().sum())) == (42, 1)
    assert (len(pivoted["dropped"]), int(pivoted["dropped"]["value"].isna().sum())) == (41, 0)
    counts = pivoted["nulls"].set_index("sensor")
    assert counts["rows"].tolist() == [3] * 14
    assert counts[counts["null_rows"] > 0]["null_rows"].to_dict() == {fleet.LOW: 1}


@pytest.mark.case("XSN-BI-02")
def test_an_unknown_sensor_is_refused_and_the_nearest_named(spark: SparkSession) -> None:
    columns = "device_id string, timestamp_utc timestamp, event_id string, sensor string, value double"
    rows = [("a", datetime(2026, 1, 15, tzinfo=UTC), "e", name, 1.0) for name in ("humidity", "humidty")]
    with pytest.raises(UnknownSensorError, match=r"'humidty', which profile 'refrigeration'.*Did you mean 'humidity'"):
        wide_readings(spark.createDataFrame(rows, columns), PROFILE)


@pytest.mark.nightly
def test_there_and_back_is_the_same(spark: SparkSession) -> None:
    clean = spark.createDataFrame(fleet.frame(ROWS, 1), clean_schema(PROFILE))
    names = ["device_id", "timestamp_utc", "event_id", *PROFILE.sensor_names]
    again = wide_readings(narrow_readings(clean, PROFILE, nulls="drop"), PROFILE)
    left, right = (
        frame.select(*names).toPandas().sort_values("event_id", ignore_index=True) for frame in (clean, again)
    )
    pd.testing.assert_frame_equal(left, right)
