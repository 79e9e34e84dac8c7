"""Who trains and who judges: by time with a gap, by device for ever, and a check that refuses what leaks."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import training_fleet as fleet
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.features import features_schema
from fleet_health.contracts.schemas import stored_schema
from fleet_health.model_input.cohorts import with_cohorts
from fleet_health.model_input.imputation import Filler
from fleet_health.profiles.errors import ProfileReferenceError
from fleet_health.profiles.loader import parse_profile
from fleet_health.training_data.assembly import (
    REASON,
    candidates,
    learned_from,
    learning_windows,
)
from fleet_health.training_data.described import described_models
from fleet_health.training_data.exclusions import training_exclusions
from fleet_health.training_data.split import Cut, cut_of, device_part, folds, part_of, placed
from mirror.checks import CheckSubject, evaluate

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def device_features(spark: SparkSession, table: pd.DataFrame) -> DataFrame:
    schema = features_schema(fleet.PROFILE)
    counts = dict.fromkeys(("reading_count", "quality_flag_count", "window_duration_minutes"), "int32")
    return spark.createDataFrame(table.reindex(columns=schema.fieldNames()).astype(counts), schema)


@pytest.fixture(scope="module")
def divided(spark: SparkSession) -> SimpleNamespace:
    """The fleet, divided: ``windows`` with their reasons, the quarter hours that have a use (``rows``), statistics."""
    features = device_features(spark, fleet.feature_table())
    found = learning_windows(with_cohorts(features, None, None), fleet.PROFILE)
    windows = found.rows.withColumn("learned", learned_from()).withColumn("hashed", device_part(fleet.SPLIT)).toPandas()
    described = described_models(windows[windows["learned"].fillna(False).astype(bool)], fleet.PROFILE, "tx")
    rows = windows[windows[REASON].isna() & (windows["window_duration_minutes"] == 15)].reset_index(drop=True)
    return SimpleNamespace(cut=found.cut, counts=found.counts, windows=windows, rows=rows, described=described)


@pytest.mark.case("MTR-HP-01")
def test_training_ends_a_week_before_validation_begins(divided: Any) -> None:
    cut = divided.cut
    assert cut.unsplit is None
    assert (cut.trained_from, cut.trained_until) == (
        datetime(2026, 1, 7, tzinfo=UTC),
        fleet.TRAINED.to_pydatetime().replace(tzinfo=UTC),
    )
    rows = divided.rows
    trains, judges = (rows[rows["period"] == name] for name in ("train", "validation"))
    assert trains["window_end"].max() == fleet.TRAINED  # the window that ends with the period is in it
    assert trains["window_start"].min() >= pd.Timestamp("2026-01-07")
    assert judges["window_start"].min() == fleet.JUDGED  # and so is the one that begins with the other
    assert judges["window_end"].max() == fleet.LAST
    assert set(rows["trained_until"]) == {fleet.TRAINED}


@pytest.mark.case("MTR-FL-02")
def test_windows_that_touch_the_gap_are_in_neither_part(divided: Any) -> None:
    windows = divided.windows
    across = windows["window_start"].isin(
        [fleet.TRAINED - pd.Timedelta(hours=12), fleet.JUDGED - pd.Timedelta(hours=12)]
    )
    straddling = windows[across & (windows["window_duration_minutes"] == 1440)]
    inside = windows[windows["window_start"].isin([fleet.TRAINED, fleet.JUDGED - fleet.QUARTER])]
    assert (len(straddling), len(inside)) == (80, 80)
    for left in (straddling, inside):
        assert left["period"].isna().all()
        assert set(left[REASON]) == {"OUTSIDE_SPLIT"}


@pytest.mark.case("MTR-DI-01")
def test_devices_are_divided_by_a_hash_of_their_id() -> None:
    parts = pd.Series([part_of(f"REF-TEST-{n:05d}", fleet.SPLIT) for n in range(10_000)])
    shares = parts.value_counts(normalize=True)
    assert shares["train"] == pytest.approx(0.8, abs=0.01)
    assert shares["validation"] == pytest.approx(0.1, abs=0.01)
    assert shares["test"] == pytest.approx(0.1, abs=0.01)


@pytest.mark.case("MTR-DI-02")
def test_a_device_keeps_its_part_whoever_else_there_is(divided: Any) -> None:
    """A retraining a month later, with other devices, asks the same hash; columns and Python agree."""
    told = divided.windows.groupby("device_id")["hashed"].agg(["first", "nunique"])
    assert told["nunique"].max() == 1
    assert told["first"].to_dict() == fleet.PART
    assert set(fleet.PART.values()) == {"train", "validation", "test"}
    assert part_of("REF-US-W-00042371", fleet.SPLIT) == "train"  # pinned: another hash moves every device


@pytest.mark.case("MTR-DI-04")
def test_rows_that_train_come_from_devices_that_train(divided: Any) -> None:
    rows = divided.rows
    trains = rows[(rows["period"] == "train")]
    assert set(trains["device_part"]) == {"train"}
    assert {fleet.PART[device] for device in trains["device_id"]} == {"train"}
    held = rows[rows["device_part"] != "train"]
    assert {fleet.PART[device] for device in held["device_id"]} == {"validation", "test"}
    assert set(held["period"]) == {"validation"}
    own = divided.described.statistics["window_duration_minutes"] == 15
    assert set(divided.described.statistics.loc[own, "training_row_count"]) == {len(trains)}


@pytest.mark.case("MTR-NU-01")
def test_incomplete_windows_are_left_out_and_counted(divided: Any) -> None:
    made = {15: len(divided.rows)}
    table = training_exclusions(divided.counts, made)
    counts = table.set_index(["window_duration_minutes", "reason"])["rows"]
    trains = [device for device in ("unit-00", "unit-02") if fleet.PART[device] == "train"]
    assert counts[15, "SENSOR_COMPLETENESS"] == len(trains) > 0
    assert counts[15, "QUALITY_FLAGS"] == (fleet.PART["unit-03"] == "train")
    assert counts[15, "READING_COUNT"] == (fleet.PART["unit-04"] == "train")
    assert divided.rows["sensor_completeness"].min() == 0.95
    # every fourth noon: one lies in the outage, and one within 48 hours after the maintenance of a single unit
    assert counts[15, "KNOWN_OUTAGE"] == sum(part == "train" for part in fleet.PART.values())
    assert counts[15, "AFTER_MAINTENANCE"] == (fleet.PART["unit-00"] == "train")
    any_reason = table[table["reason"] == "ANY"].set_index("window_duration_minutes")
    assert (any_reason["candidate_rows"] - any_reason["rows"]).to_dict() == made


@pytest.mark.case("MTR-EC-06")
def test_limits_of_counts_grow_with_the_window(divided: Any) -> None:
    """Five flagged readings are a third of a quarter hour and nothing of a day; two thirds of a day are 960."""
    days = divided.windows[(divided.windows["window_duration_minutes"] == 1440) & divided.windows["period"].notna()]
    reasons = days.groupby("device_id")[REASON].agg(lambda told: set(told.dropna()))
    assert "QUALITY_FLAGS" not in reasons["unit-00"]
    assert "READING_COUNT" in reasons["unit-01"]
    others = [device for device in fleet.DEVICES[5:] if fleet.PART[device] == "train"]
    assert set().union(*reasons[others]) <= {"KNOWN_OUTAGE"}
    assert days.loc[days["device_id"] == "unit-00", "quality_flag_count"].eq(5).any()


@pytest.mark.case("MTR-NU-02")
def test_a_feature_that_is_often_null_is_filled_as_for_scoring(divided: Any) -> None:
    """Its share of nulls is recorded; a gap takes the unit's own last value while that is young, else the median."""
    told = divided.described.statistics[divided.described.statistics["model_id"] == "isolation_forest_v1"].set_index(
        "feature_name"
    )
    assert told.loc["humidity_mean", "training_null_rate"] == pytest.approx(0.4, abs=0.03)
    constants = divided.described.constants[15]
    assert constants.medians[constants.names.index("humidity_mean")] == told.loc["humidity_mean", "training_p50"]
    rows = divided.rows.sort_values(["device_id", "window_end"], kind="stable")
    # the filler of model input, with what this training froze
    filler = Filler(constants, fleet.PROFILE.imputation.max_age_of)
    micros = rows["window_end"].to_numpy(dtype="datetime64[us]").astype("int64")
    vectors, filled, missing = filler.fill(rows.assign(micros=micros))
    gaps = rows["humidity_mean"].isna().to_numpy()
    assert not missing.any()
    assert filled.tolist() == gaps.astype(int).tolist()
    value = vectors[gaps, constants.names.index("humidity_mean")]
    # windows four days apart have no young value to go by
    assert (value == told.loc["humidity_mean", "training_p50"]).mean() > 0.9


@pytest.mark.nightly
def test_large_parts_are_drawn_the_same_way_again(spark: SparkSession) -> None:
    """By the key of a row, so that neither order nor partitions decide which rows train."""
    from fleet_health.training_data.selection import drawn

    starts = pd.date_range("2026-01-01", periods=500, freq="15min")
    table = pd.DataFrame({"device_id": [f"d{n % 4}" for n in range(2000)], "window_start": np.repeat(starts, 4)})
    table = table.assign(window_duration_minutes=15, device_part="train", period="train")
    kept = drawn({(15, "train", "train"): 2000, (15, "test", "validation"): 3}, 500, 42)
    frame = spark.createDataFrame(table).withColumn("kept", kept)
    both = [
        set(map(tuple, f.where("kept").select("device_id", F.unix_micros("window_start")).collect()))
        for f in (frame, frame.repartition(5))
    ]
    assert both[0] == both[1]
    assert 430 < len(both[0]) < 570
    assert {device for device, _ in both[0]} == {"d0", "d1", "d2", "d3"}


@pytest.mark.case("MTR-FL-04")
def test_every_fold_trains_strictly_before_it_validates() -> None:
    cut = Cut(datetime(2026, 1, 7, tzinfo=UTC), datetime(2026, 4, 7, tzinfo=UTC))
    made = folds(cut, fleet.SPLIT)
    assert len(made) == 3
    for fold in made:
        assert fold.validated_from - fold.trained_until == timedelta(days=7)
        assert cut.trained_from < fold.trained_until < fold.validated_from < fold.validated_until <= cut.trained_until
    ends = [fold.trained_until for fold in made]
    assert ends == sorted(set(ends))  # each trains on more than the one before
    young = Cut(datetime(2026, 3, 25, tzinfo=UTC), datetime(2026, 4, 7, tzinfo=UTC))
    assert folds(young, fleet.SPLIT) == ()


@pytest.mark.case("MTR-FL-03")
def test_a_random_split_is_refused_when_the_profile_is_read() -> None:
    text = (_profiles() / "refrigeration.yaml").read_text()
    asked = text.replace("  split:\n", "  split:\n    kind: random\n")
    line = asked.split("\n").index("    kind: random") + 1
    with pytest.raises(
        ProfileReferenceError, match="kind 'random' is refused: its validation rows are neighbours"
    ) as e:
        parse_profile(asked, "fleet.yaml")
    assert f"fleet.yaml, line {line}" in str(e.value)
    assert "kind: temporal" in str(e.value)
    period = (
        "  exclude: [{kind: outage, start: 2026-02-02T00:00:00Z, end: 2026-02-01T00:00:00Z, reason: reversed dates}]\n"
    )
    with pytest.raises(ProfileReferenceError, match="the period ends before it begins"):
        parse_profile(text.replace("  split:\n", f"{period}  split:\n"), "fleet.yaml")


def _profiles() -> Any:
    from importlib import resources

    return resources.files("fleet_health.profiles")


LEAKS = ("TRN-13", "TRN-14", "TRN-15", "TRN-16", "TRN-17", "TRN-18")


def judged(spark: SparkSession, rows: pd.DataFrame) -> dict[str, Any]:
    """Rule id -> verdict of the checks that ride on training_data."""
    schema = stored_schema("training_data", fleet.PROFILE)
    frame = spark.createDataFrame(rows[schema.fieldNames()].astype(object).where(rows.notna(), None), schema)
    subject = CheckSubject("training_data", schema, lambda: frame, files=(), references={})
    checks = [check for check in checks_of("training_data", fleet.PROFILE) if check.name[:6] in LEAKS]
    assert len(checks) == len(LEAKS)
    return {result.name[:6]: result for result in evaluate(checks, subject, spark=spark, now=NOW)}


@pytest.mark.nightly
def test_a_split_that_leaks_stops_the_build(spark: SparkSession, divided: Any) -> None:
    """Each leak is caught by the check of its own rule, row by row and device by device."""
    known = {"label_delay_buffer_hours": 24, "snapshot_id": "tx", "assembled_at": fleet.LAST}
    vectors = {"feature_vector": [[1.0]] * len(divided.rows), "feature_names": [["a"]] * len(divided.rows)}
    leaking = divided.rows.assign(**known, **vectors, label=None, label_source=None, label_timestamp=None)
    trains = leaking[(leaking["device_part"] == "train") & (leaking["period"] == "train")].index
    judges = leaking[leaking["period"] == "validation"].index
    held = leaking[leaking["device_part"] == "validation"].index
    # a day inside the gap, on either side
    leaking.loc[trains[0], ["window_start", "window_end"]] = [fleet.TRAINED, fleet.TRAINED + fleet.QUARTER]
    leaking.loc[judges[0], "window_start"] = fleet.JUDGED - fleet.QUARTER
    # a device on both sides
    leaking.loc[held[0], "device_id"] = leaking.loc[trains[1], "device_id"]
    # a held-out device in the training period
    leaking.loc[trains[2], "device_part"] = "test"
    # a row that was divided elsewhere
    leaking.loc[trains[3], "trained_until"] = fleet.JUDGED
    found = judged(spark, leaking)
    told = {rule: [row["device_id"] for row in result.offending] for rule, result in found.items() if result.blocks}
    devices = leaking["device_id"]
    assert told.keys() == {"TRN-15", "TRN-16", "TRN-17", "TRN-18"}
    # no row that the assembly wrote offends: only those that were planted
    assert sorted(told["TRN-17"]) == sorted([devices[trains[0]], devices[judges[0]]])
    assert told["TRN-18"] == [devices[trains[2]]]
    assert set(told["TRN-15"]) == {devices[trains[1]], devices[trains[2]]}


@pytest.mark.case("MTR-EC-04")
def test_filters_that_take_a_quarter_are_recorded_and_warn(spark: SparkSession) -> None:
    columns = ["window_duration_minutes", "device_part", "period", REASON, "count"]
    inside = [(15, "train", "train", None, 75), (15, "train", "train", "QUALITY_FLAGS", 25)]
    counts = pd.DataFrame([*inside, (15, "train", None, "OUTSIDE_SPLIT", 900)], columns=columns)
    table = training_exclusions(counts, {15: 75})
    told = table.set_index("reason")
    assert (told.loc["ANY", "share"], told.loc["QUALITY_FLAGS", "rows"]) == (0.25, 25)
    assert told.loc["OUTSIDE_SPLIT", "rows"] == 900
    schema = stored_schema("training_exclusions", fleet.PROFILE)
    rows = table.assign(snapshot_id="tx", assembled_at=fleet.LAST, unsplit=None).reindex(columns=schema.fieldNames())
    frame = spark.createDataFrame(rows.astype(object).where(rows.notna(), None), schema)
    subject = CheckSubject("training_exclusions", schema, lambda: frame, files=(), references={})
    (check,) = (c for c in checks_of("training_exclusions", fleet.PROFILE) if c.name.startswith("TRN-09"))
    (result,) = evaluate([check], subject, spark=spark, now=NOW)
    assert (result.outcome, result.on_error, result.blocks) == ("FAIL", "WARN", False)
    assert [row["reason"] for row in result.offending] == ["ANY"]


@pytest.mark.nightly
def test_a_young_fleet_trains_on_everything_and_says_so(spark: SparkSession) -> None:
    """Gap and validation are longer than its history; nothing is held out that could not judge."""
    table = fleet.feature_table()
    table = table[table["window_start"] < pd.Timestamp("2026-01-09")]
    rows = with_cohorts(device_features(spark, table), None, None)
    cut = cut_of(candidates(rows, fleet.PROFILE).where(F.col(REASON).isNull()), fleet.PROFILE)
    assert cut is not None
    assert cut.validation is None
    assert cut.unsplit == "no window before validation period and gap; the data go from 2026-01-01 to 2026-01-05"
    everything = placed(rows, cut, fleet.PROFILE).select("device_part", "period", "trained_until").distinct().collect()
    assert [tuple(row) for row in everything] == [("train", "train", datetime(2026, 1, 5, 12, 15))]  # noqa: DTZ001
