"""Windows and features: golden cases, nulls, edges and leakage; every case is a device of one frame."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import case_fleet as fleet
import numpy as np
import pandas as pd
import pytest
from pyspark.errors import PythonException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fleet_health.contracts.clean import clean_schema
from fleet_health.features.kernel import ratio_of_nonzero, ratio_of_positive
from fleet_health.features.lateness import due
from fleet_health.features.versions import all_versions
from transforms.api import IncrementalTransformInput
from transforms.verbs.testing._memory_ports import MemoryReadPort
from transforms.verbs.testing._parts import Part

PROFILE, START = fleet.PROFILE, fleet.START
Value = Callable[..., Any]


def as_input(clean: DataFrame) -> IncrementalTransformInput:
    """The rows as a transform gets them: with the files that they lie in."""
    return IncrementalTransformInput(MemoryReadPort("clean", added=[Part(clean)]), clean.sparkSession)


def newest(clean: DataFrame) -> pd.DataFrame:
    watermark = round(fleet.WATERMARK.value / 1000)
    versions = all_versions(clean.sparkSession, as_input(clean), PROFILE, due(PROFILE, None, watermark))
    instants = {name: F.unix_micros(name) for name in ("window_start", "window_end", "computed_at")}
    found = versions.withColumns(instants).toPandas().sort_values("computed_at")
    return found.drop_duplicates(["device_id", "window_start", "window_duration_minutes"], keep="last")


@pytest.fixture(scope="module")
def features(spark: SparkSession) -> dict[str, pd.DataFrame]:
    """As it is, read by one worker; and exchanged between workers, shuffled, in eight parts, in Chicago, with a future
    and other devices added."""
    schema = clean_schema(PROFILE)
    plain = newest(spark.createDataFrame(fleet.frame(fleet.plain_rows(), 3), schema).coalesce(1))
    spark.conf.set("spark.sql.session.timeZone", "America/Chicago")
    try:
        rows = fleet.plain_rows() + fleet.LATER + fleet.OTHERS
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr("fleet_health.features.versions.sweeps", lambda *_: None)
            more = newest(spark.createDataFrame(fleet.frame(rows, 4), schema).repartition(8))
    finally:
        spark.conf.set("spark.sql.session.timeZone", "UTC")
    return {"plain": plain, "more": more}


@pytest.fixture(scope="module")
def value(features: dict[str, pd.DataFrame]) -> Value:
    """``value(device, feature, minutes, start)``: one value of one window; None for null."""
    columns = ["device_id", "window_duration_minutes", "window_start"]
    by_key = features["plain"].set_index(columns)
    assert by_key.index.is_unique

    def look(device: str, name: str, minutes: int = 15, start: pd.Timestamp = START) -> Any:
        found = by_key.loc[(device, minutes, round(start.value / 1000)), name]
        return None if pd.isna(found) else found

    return look


def windows(features: dict[str, pd.DataFrame], device: str, minutes: int) -> pd.DataFrame:
    plain = features["plain"]
    chosen = plain[(plain["device_id"] == device) & (plain["window_duration_minutes"] == minutes)]
    return chosen.sort_values("window_start")


def agrees(value: Value, case: str) -> bool:
    _, name, expected = fleet.GOLDEN[case]
    found = value(case, name)
    if expected is None or found is None:
        return found is expected
    return math.isclose(found, expected, rel_tol=1e-12, abs_tol=1e-15)


@pytest.mark.case("FEN-HP-01")
def test_golden_cases_of_one_sensor(value: Value) -> None:
    cases = [f"GC-{n:02d}" for n in (*range(1, 8), 14, 15, 16)]
    assert [case for case in cases if not agrees(value, case)] == []


@pytest.mark.case("FEN-HP-02")
def test_a_day_has_96_quarters_24_hours_and_itself(features: dict[str, pd.DataFrame]) -> None:
    counts = {minutes: windows(features, "ramp", minutes)["reading_count"].tolist() for minutes in (15, 60, 1440)}
    assert counts == {15: [15] * 96, 60: [60] * 24, 1440: [1440]}


@pytest.mark.case("FEN-HP-03")
def test_a_ramp_has_its_slope_and_its_deviation_in_every_window(features: dict[str, pd.DataFrame]) -> None:
    for minutes in (15, 60, 1440):
        found = windows(features, "ramp", minutes)
        assert found["temp_evaporator_slope"].tolist() == pytest.approx([0.1] * len(found), rel=1e-12)
        expected = [fleet.ramp_deviation(minutes)] * len(found)
        assert found["temp_evaporator_std"].tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.case("FEN-HP-05")
def test_four_quarters_count_what_the_hour_counts(features: dict[str, pd.DataFrame]) -> None:
    quarters = windows(features, "dense", 15)["reading_count"].tolist()
    assert (quarters, windows(features, "dense", 60)["reading_count"].tolist()) == ([17, 15, 3], [35])


@pytest.mark.case("FEN-NU-01")
def test_a_sensor_that_is_null_throughout_leaves_the_others_alone(features: dict[str, pd.DataFrame]) -> None:
    row = windows(features, "one null", 15).iloc[0]
    null = {name for name in PROFILE.model_features if pd.isna(row[name])}
    condenser = {f.name for f in PROFILE.features if f.sensor == fleet.CONDENSER}
    assert null == condenser | {"temp_spread_evap_cond", "current_per_temp_spread"}
    assert row["reading_count"] == 15


@pytest.mark.case("FEN-NU-02")
def test_one_value_has_a_mean_but_neither_deviation_nor_slope(value: Value) -> None:
    found = {
        name: value("one of fifteen", f"temp_evaporator_{name}") for name in ("mean", "min", "max", "std", "slope")
    }
    assert found == {"mean": 17.0, "min": 17.0, "max": 17.0, "std": None, "slope": None}


@pytest.mark.case("FEN-NU-03")
def test_two_values_have_both(value: Value) -> None:
    assert value("two of fifteen", "temp_evaporator_std") == pytest.approx(math.sqrt(18), rel=1e-12)
    assert value("two of fifteen", "temp_evaporator_slope") == pytest.approx(1.0, rel=1e-12)


@pytest.mark.case("FEN-NU-04")
def test_a_null_inside_a_trend_is_no_point_of_it(value: Value) -> None:
    assert value("GC-01", "temp_evaporator_slope") == pytest.approx(13 / 7, rel=1e-12)  # not 2.5


@pytest.mark.case("FEN-NU-05")
def test_a_fraction_ignores_nulls(value: Value) -> None:
    assert value("door", "door_open_fraction") == pytest.approx(2 / 3, rel=1e-12)


@pytest.mark.case("FEN-NU-06")
def test_completeness_without_any_sensor_is_zero(value: Value) -> None:
    assert value("no sensor", "sensor_completeness") == 0.0


@pytest.mark.case("FEN-DI-02", "FEN-FL-01", "FEN-EC-09")
def test_neither_the_future_nor_others_nor_the_order_change_a_window(features: dict[str, pd.DataFrame]) -> None:
    keys = ["device_id", "window_start", "window_duration_minutes"]
    plain, more = (features[name].set_index(keys).sort_index() for name in ("plain", "more"))
    assert len(more) > len(plain)
    later = plain.index.get_level_values(0).isin(list(fleet.GOLDEN)) & (plain.index.get_level_values(2) > 15)
    same = plain[~later]
    assert len(same) > 200
    pd.testing.assert_frame_equal(same, more.loc[same.index], check_exact=True)


@pytest.mark.case("FEN-DI-03")
def test_ids_that_begin_alike_do_not_mix(value: Value) -> None:
    found = [value(device, "temp_evaporator_mean") for device in ("d-1", "d-11", "d-1 ")]
    assert found == [1.0, 11.0, 5.0]


@pytest.mark.case("FEN-FL-03")
def test_a_window_the_watermark_has_not_passed_has_no_row(features: dict[str, pd.DataFrame]) -> None:
    found = windows(features, "last", 15)
    assert found["window_end"].tolist() == [round((fleet.WATERMARK - pd.Timedelta(minutes=30)).value / 1000)]
    assert found["computed_at"].tolist() == [round((fleet.WATERMARK - pd.Timedelta(minutes=10)).value / 1000)]


def test_a_late_reading_counts_where_its_horizon_reaches(value: Value, features: dict[str, pd.DataFrame]) -> None:
    assert value("late", "reading_count") == 1
    assert value("late", "temp_discharge_max", 60) == 99.0
    # the hour of 10:00 is written at 11:20 and takes what is received until 13:20, at 14:20 the latest
    assert (value("late hour", "temp_discharge_max", 60), value("late hour", "reading_count", 60)) == (3.0, 2)
    assert value("late hour", "temp_discharge_max", 1440, fleet.DAY) == 99.0
    made = windows(features, "late hour", 60)["computed_at"].tolist()
    assert made == [round((START + pd.Timedelta(hours=3, minutes=20)).value / 1000)]


def test_a_reading_with_a_drifting_clock_is_in_no_window(value: Value) -> None:
    assert (value("drifting", "reading_count"), value("drifting", "quality_flag_count")) == (1, 0)


@pytest.mark.case("FEN-EC-01")
def test_the_last_millisecond_belongs_to_its_window(value: Value) -> None:
    assert value("edge", "temp_ambient_mean") == 1.0
    assert value("edge", "temp_ambient_mean", start=START + pd.Timedelta(minutes=15)) == 2.0
    assert value("edge", "reading_count", 1440, fleet.DAY) == 3


@pytest.mark.case("FEN-EC-02")
def test_a_constant_has_no_deviation_and_no_slope_at_all(value: Value) -> None:
    assert (value("constant", "temp_evaporator_std"), value("constant", "temp_evaporator_slope")) == (0.0, 0.0)


@pytest.mark.case("FEN-EC-03")
def test_a_small_deviation_of_large_values_keeps_its_digits(value: Value) -> None:
    values = [row[fleet.HIGH] for row in fleet.CASES if row["device_id"] == "ramp"]
    assert len(values) == 1440
    found = value("ramp", "pressure_high_std", 1440, fleet.DAY)
    assert found == pytest.approx(fleet.exact_deviation(values), rel=1e-9)


@pytest.mark.case("FEN-EC-04")
def test_readings_of_one_instant_have_a_deviation_and_no_slope(value: Value) -> None:
    assert value("one instant", "temp_evaporator_slope") is None
    assert value("one instant", "temp_evaporator_std") == pytest.approx(math.sqrt(7 / 3), rel=1e-12)


@pytest.mark.case("FEN-EC-05")
def test_a_spike_is_interpolated(value: Value) -> None:
    assert value("spike of 19", "vibration_compressor_p95") == pytest.approx(1 + 0.1 * 99, rel=1e-12)
    assert value("spike of 20", "vibration_compressor_p95") == pytest.approx(1 + 0.05 * 99, rel=1e-12)


@pytest.mark.case("FEN-EC-06")
def test_windows_stay_on_utc_where_a_clock_changes(features: dict[str, pd.DataFrame]) -> None:
    """The second frame was computed in a session of Chicago."""
    change, day = round(fleet.CLOCK_CHANGE.value / 1000), 86_400_000_000
    for frame in features.values():
        found = frame[frame["device_id"] == "clock change"]
        starts = {m: sorted(found[found["window_duration_minutes"] == m]["window_start"]) for m in (60, 1440)}
        assert starts[60] == [change + hours * 3_600_000_000 for hours in (-2, -1, 0, 1)]
        assert starts[1440] == [change // day * day]


@pytest.mark.case("FEN-EC-07")
def test_a_silent_window_has_no_row_and_the_next_begins_as_ever(features: dict[str, pd.DataFrame]) -> None:
    starts = windows(features, "dense", 15)["window_start"].tolist()
    assert starts == [round((START + pd.Timedelta(minutes=n)).value / 1000) for n in (0, 30, 45)]


@pytest.mark.case("FEN-EC-08")
def test_more_readings_than_minutes_all_count(value: Value) -> None:
    assert value("dense", "reading_count") == 17


def test_windows_before_1970_align_too(features: dict[str, pd.DataFrame]) -> None:
    found = {minutes: windows(features, "ancient", minutes)["window_start"].tolist() for minutes in (15, 60, 1440)}
    assert found == {15: [-900_000_000], 60: [-3_600_000_000], 1440: [-86_400_000_000]}


@pytest.mark.case("FEN-BI-01")
def test_nan_in_clean_fails_the_job_and_names_where(spark: SparkSession) -> None:
    rows = spark.createDataFrame(fleet.frame(fleet.series("a", fleet.LOW, [1.0, None]), 1), clean_schema(PROFILE))
    broken = rows.unionByName(rows.withColumns({"device_id": F.lit("b"), fleet.HIGH: F.lit(float("nan"))}))
    versions = all_versions(spark, as_input(broken), PROFILE, due(PROFILE, None, 0))
    with pytest.raises(PythonException, match=r"NotANumberInCleanError.*'pressure_high_side' of device 'b'"):
        versions.collect()


def test_columns_are_the_contract(features: dict[str, pd.DataFrame]) -> None:
    names = list(features["plain"].columns)
    assert names[:4] == ["device_id", "window_start", "window_end", "window_duration_minutes"]
    assert tuple(names[4:-1]) == PROFILE.model_features
    assert names[-1] == "computed_at"


@pytest.mark.case("XSN-HP-01")
def test_ratio_and_efficiency(value: Value) -> None:
    assert agrees(value, "GC-08")
    assert agrees(value, "GC-11")


@pytest.mark.case("XSN-HP-02")
def test_spreads(value: Value) -> None:
    assert value("spreads", "temp_spread_evap_cond") == 65.0
    assert value("spreads", "temp_spread_discharge_suction") == 80.0


def cross_features(value: Value, device: str) -> dict[str, bool]:
    """Feature of several sensors -> whether it has a value."""
    return {f.name: value(device, f.name) is not None for f in PROFILE.features if f.of is not None}


@pytest.mark.case("XSN-NU-01")
def test_without_the_low_side_only_the_ratio_is_null(value: Value) -> None:
    assert agrees(value, "GC-10")
    assert [name for name, there in cross_features(value, "no low side").items() if not there] == ["pressure_ratio"]


@pytest.mark.case("XSN-NU-02")
def test_without_the_condenser_its_spread_and_the_efficiency_are_null(value: Value) -> None:
    null = [name for name, there in cross_features(value, "no condenser").items() if not there]
    assert null == ["temp_spread_evap_cond", "current_per_temp_spread"]


@pytest.mark.case("XSN-NU-03")
def test_without_both_pressures_the_ratio_is_null(value: Value) -> None:
    assert [name for name, there in cross_features(value, "no pressure").items() if not there] == ["pressure_ratio"]


@pytest.mark.case("XSN-DI-01")
def test_ratios_come_from_a_devices_own_values(value: Value) -> None:
    assert [value(device, "pressure_ratio") for device in ("swapped a", "swapped b")] == [5.0, 0.2]


@pytest.mark.case("XSN-EC-01")
def test_an_efficiency_over_no_spread_is_null(value: Value) -> None:
    assert agrees(value, "GC-12")
    assert value("tiny spread", "current_per_temp_spread") is None


@pytest.mark.case("XSN-EC-02")
def test_a_negative_spread_passes(value: Value) -> None:
    assert agrees(value, "GC-13")


@pytest.mark.case("XSN-EC-03")
def test_a_ratio_below_one_passes(value: Value) -> None:
    assert agrees(value, "GC-09")


@pytest.mark.case("XSN-EC-05")
def test_the_ratio_is_that_of_the_means(value: Value) -> None:
    assert value("means", "pressure_ratio") == pytest.approx(1000 / 300, rel=1e-12)  # the mean of ratios is 6


@pytest.mark.case("XSN-BI-01")
def test_a_low_side_of_zero_gives_no_ratio_and_no_error(value: Value) -> None:
    assert (value("zero low side", "pressure_ratio"), value("zero low side", "reading_count")) == (None, 1)


def test_a_denominator_below_zero_has_an_efficiency_and_no_ratio() -> None:
    """A gauge may be calibrated below zero, and a ratio of pressures is then no ratio; a spread has a sign."""
    left, right = np.array([4.0, 4.0, 4.0]), np.array([2.0, -2.0, -1e-7])
    np.testing.assert_array_equal(ratio_of_positive(left, right), [2.0, math.nan, math.nan])
    np.testing.assert_array_equal(ratio_of_nonzero(left, right), [2.0, -2.0, math.nan])
