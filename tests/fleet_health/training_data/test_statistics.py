"""Statistics of training rows: exact, with bins for zero and null."""

from __future__ import annotations

import math
import pickle

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import SparkSession

from fleet_health.contracts.training import STATISTICS_SCHEMA
from fleet_health.profiles.loader import shipped_profile
from fleet_health.training_data.described import frozen_constants
from fleet_health.training_data.errors import NoTrainingWindowsError
from fleet_health.training_data.statistics import bin_counts, bin_edges, training_statistics

PROFILE = shipped_profile("refrigeration")


def table(**columns: list[float]) -> pd.DataFrame:
    rows = max(map(len, columns.values()))
    frame = pd.DataFrame({name: [math.nan] * rows for name in PROFILE.model_features})
    frame = frame.assign(device_id=["a", "b"] * (rows // 2), cohort_id=None, **columns)
    return frame.assign(
        window_start=pd.Timestamp("2026-01-01", tz="UTC"), window_end=pd.Timestamp("2026-01-02", tz="UTC")
    )


def test_known_numbers() -> None:
    rows = table(humidity_mean=[1.0, 2.0, 3.0, math.nan], door_open_fraction=[0.0, 0.0, 0.0, 1.0])
    found = training_statistics(rows, PROFILE, "tx-1").set_index("feature_name")
    humidity = found.loc["humidity_mean"]
    assert (humidity["training_mean"], humidity["training_stddev"], humidity["training_p50"]) == (2.0, 1.0, 2.0)
    assert (humidity["training_min"], humidity["training_max"], humidity["training_mad"]) == (1.0, 3.0, 1.0)
    assert humidity["training_null_rate"] == 0.25
    assert (humidity["training_row_count"], humidity["training_device_count"]) == (4, 2)
    assert humidity["snapshot_id"] == "tx-1"
    assert found.loc["subcooling_mean", "training_null_rate"] == 1.0
    assert pd.isna(found.loc["subcooling_mean", "training_p50"])
    assert len(found) == 45


def test_an_empty_fleet_is_told_which_windows_were_asked_for() -> None:
    with pytest.raises(NoTrainingWindowsError) as caught:
        training_statistics(table(humidity_mean=[0.1, 0.2]).iloc[:0], PROFILE, "tx-1")
    told = str(caught.value)
    assert told.startswith("no window of 15 minutes of 'refrigeration' may train its model, which asks for ")
    assert f"reading_count >= {PROFILE.model.training_reading_count_min.value:g}, " in told
    copy = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own error, just made
    assert str(copy) == told


@pytest.mark.case("MTR-HP-03")
def test_every_feature_has_its_row_and_ordered_percentiles() -> None:
    random = np.random.default_rng(3)
    rows = table(**{name: random.normal(n, 1.0 + n, 200).tolist() for n, name in enumerate(PROFILE.model_features)})
    found = training_statistics(rows, PROFILE, "t")
    assert found["feature_name"].tolist() == list(PROFILE.model_features)
    assert len(found) == found["feature_name"].nunique() == 45
    shares = ["p0_1", "p05", "p25", "p50", "p75", "p95", "p99_9"]
    ordered = found[["training_min", *(f"training_{share}" for share in shares), "training_max"]].to_numpy("float64")
    assert (np.diff(ordered, axis=1) > 0.0).all()
    assert found["bin_edges"].map(lambda edges: (np.diff(edges) > 0.0).all()).all()


@pytest.mark.case("MTR-EC-05")
def test_zero_and_null_have_their_own_bins() -> None:
    values = np.array([0.0] * 90 + [math.nan] * 5 + [1.0, 2.0, 3.0, 4.0, 5.0])
    assert len(set(bin_edges(values[~np.isnan(values)]))) == 11
    counts = bin_counts(values, bin_edges(values[~np.isnan(values)]))
    assert len(counts) == 12
    assert counts[10:] == [90, 5]
    assert sum(counts) == 100
    assert sum(counts[:10]) == 5


def test_values_outside_the_training_range_fall_into_the_outer_bins() -> None:
    edges = bin_edges(np.arange(1.0, 101.0))
    assert bin_counts(np.array([-50.0, 1e9]), edges)[0] == 1
    assert bin_counts(np.array([-50.0, 1e9]), edges)[9] == 1


@pytest.mark.parametrize("order", [[0, 1, 2, 3], [3, 1, 0, 2]])
def test_order_of_rows_does_not_matter(order: list[int]) -> None:
    rows = table(humidity_mean=[0.1, 0.2, 0.3, 1e9])
    straight = training_statistics(rows, PROFILE, "t")
    turned = training_statistics(rows.iloc[order], PROFILE, "t")
    pd.testing.assert_frame_equal(straight, turned, check_exact=True)


@pytest.mark.case("MTR-NU-03")
def test_a_feature_that_was_never_there_has_no_place_in_the_vector() -> None:
    statistics = training_statistics(table(humidity_mean=[1.0, 2.0], superheat_mean=[5.0, 7.0]), PROFILE, "t")
    constants = frozen_constants(statistics, PROFILE)
    assert dict(zip(constants.names, constants.medians, strict=True)) == {"superheat_mean": 6.0, "humidity_mean": 1.5}
    never = statistics.set_index("feature_name").drop(["humidity_mean", "superheat_mean"])
    assert (never["training_null_rate"] == 1.0).all()  # the record of what was left out
    assert never[["training_mean", "training_p50"]].isna().all(axis=None)


def test_a_feature_that_no_unit_has_keeps_null_statistics_and_can_be_stored(spark: SparkSession) -> None:
    profile = shipped_profile("air_handler")
    rows = pd.DataFrame(1.0, index=range(2), columns=list(profile.model_features)).assign(
        duct_static_pressure_mean=np.nan, device_id="AHU", cohort_id=None
    )
    times = pd.Series(pd.to_datetime(["2017-09-01", "2017-09-02"]))
    table = training_statistics(rows.assign(window_start=times, window_end=times), profile, "tx")
    stored = spark.createDataFrame(table, STATISTICS_SCHEMA).where("bin_fractions is null").toPandas()
    assert stored["feature_name"].tolist() == ["duct_static_pressure_mean"]
    assert stored[["bin_edges", "training_p50"]].isna().all(axis=None)
