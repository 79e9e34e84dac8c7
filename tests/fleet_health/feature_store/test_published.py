"""What is assembled and published from one snapshot: the same again, byte for byte, and consistent with its source."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fleet_health.contracts.baselines import BASELINES_SCHEMA
from fleet_health.contracts.features import features_schema
from fleet_health.contracts.labels import LABEL_SCHEMA
from fleet_health.feature_store.baselines import baseline_rows, unpublished
from fleet_health.feature_store.consistency import offline_vs_model_input, offline_vs_ontology
from fleet_health.feature_store.errors import SnapshotGoneError, SnapshotMovedError
from fleet_health.feature_store.properties import device_properties
from fleet_health.feature_store.snapshots import read_snapshot, snapshot_of
from fleet_health.model_input.cohorts import with_cohorts
from fleet_health.profiles.loader import shipped_profile
from fleet_health.training_data.assembly import REASON, learning_windows, training_rows
from fleet_health.training_data.described import frozen_constants
from fleet_health.training_data.exclusions import training_exclusions
from fleet_health.training_data.reproduction import reproduced_baselines, reproduced_statistics

REFRIGERATION = shipped_profile("refrigeration")
KEPT = ("temp_evaporator_mean", "current_compressor_mean", "humidity_mean", "subcooling_mean")
QUALITY = ("sensor_completeness", "quality_flag_count", "reading_count")
# a few features behave like all of them and cost a tenth of the planning
PROFILE = REFRIGERATION.model_copy(
    update={
        "features": tuple(f for f in REFRIGERATION.features if f.name in (*KEPT, *QUALITY)),
        "models": (),
        # two days of data: there is nothing on the other side of a gap of a week
        "training": REFRIGERATION.training.model_copy(update={"split": None}),
    }
)
START = pd.Timestamp("2026-03-01")
DEVICES = ("a", "b", "c")
QUARTERS = 40
EMPTY, CURRENT = "subcooling_mean", "current_compressor_mean"
SNAPSHOT = "ri.tx.1"


def feature_table() -> pd.DataFrame:
    """Three devices, forty quarter hours and two days each; one feature that nobody has, and nulls in the others.

    Device c had no current on its newest day.
    """
    random = np.random.default_rng(21)
    parts = []
    for minutes, count in ((15, QUARTERS), (1440, 2)):
        for device in DEVICES:
            start = START + pd.to_timedelta(np.arange(count) * minutes, unit="min")
            values = pd.DataFrame(random.normal(50.0, 5.0, (count, 7)), columns=list(PROFILE.model_features))
            if minutes == 15:
                values = values.mask(random.random(values.shape) < 0.05)
            values[EMPTY] = np.nan
            values = values.assign(sensor_completeness=0.9, quality_flag_count=0, reading_count=minutes)
            end = start + pd.Timedelta(minutes=minutes)
            keys = {"device_id": device, "window_start": start, "window_end": end, "window_duration_minutes": minutes}
            parts.append(values.assign(**keys, computed_at=end + pd.Timedelta(minutes=20)))
    table = pd.concat(parts, ignore_index=True)
    quarter = table["window_duration_minutes"] == 15
    table.loc[
        quarter & (table["device_id"] == "a") & (table["window_start"] < START + pd.Timedelta(hours=1)), "reading_count"
    ] = 9
    table.loc[quarter & (table["device_id"] == "b") & (table["window_start"] == START), "sensor_completeness"] = 0.6
    table.loc[~quarter & (table["device_id"] == "c") & (table["window_start"] > START), CURRENT] = np.nan
    return table


class Store:
    """Keeps what each transaction held; an unknown one is gone."""

    def __init__(self, **frames: DataFrame) -> None:
        self._frames = frames

    def __call__(self, snapshot_id: str) -> DataFrame | None:
        return self._frames.get(snapshot_id.rsplit(".", 1)[-1])


@pytest.fixture(scope="module")
def features(spark: SparkSession) -> DataFrame:
    schema = features_schema(PROFILE)
    counts = dict.fromkeys(("reading_count", "quality_flag_count", "window_duration_minutes"), "int32")
    return spark.createDataFrame(feature_table().reindex(columns=schema.fieldNames()).astype(counts), schema)


@pytest.fixture(scope="module")
def registry(spark: SparkSession) -> DataFrame:
    known = pd.DataFrame({"device_id": ["a", "b"], "cohort_id": None, "model": ["WC-200", "WC-200"]})
    return spark.createDataFrame(known, "device_id string, cohort_id string, model string")


@pytest.fixture(scope="module")
def assembled(spark: SparkSession, features: DataFrame, registry: DataFrame) -> SimpleNamespace:
    """Statistics and rows, assembled twice: from the frame as it is, and from its rows in another order.

    Device b failed 30 hours after the first window began; the label of device c was recorded after the assembly.
    """
    event, known = START + pd.Timedelta(hours=30), START + pd.Timedelta(days=2)
    outcomes = [
        (device, event, "failure_confirmed", "field_engineer", 0.9, recorded, None, "leak", None)
        for device, recorded in (("b", known), ("c", known + pd.Timedelta(hours=1)))
    ]
    labels = spark.createDataFrame(pd.DataFrame(outcomes, columns=LABEL_SCHEMA.fieldNames()), LABEL_SCHEMA)
    statistics = reproduced_statistics(Store(**{"1": features}), SNAPSHOT, PROFILE, Store(**{"1": registry}))
    constants = frozen_constants(statistics, PROFILE)
    made = []
    for name, frame in (("first", features), ("again", features.repartition(3, "window_start"))):
        rows = learning_windows(with_cohorts(frame, registry, PROFILE.cohorts), PROFILE).rows
        made.append(
            training_rows(rows, frame, {15: constants}, SNAPSHOT, PROFILE, labels).withColumn("_assembly", F.lit(name))
        )
    both = made[0].unionByName(made[1]).toPandas()
    first, again = (
        both[both["_assembly"] == name].drop(columns="_assembly").reset_index(drop=True) for name in ("first", "again")
    )
    return SimpleNamespace(statistics=statistics, rows=first, again=again, constants=constants)


@pytest.mark.case("FST-HP-05")
def test_the_same_snapshot_assembles_to_the_same_content(assembled: Any) -> None:
    pd.testing.assert_frame_equal(assembled.rows, assembled.again, check_exact=True)
    assert set(assembled.rows["snapshot_id"]) == {SNAPSHOT}
    assert assembled.rows["assembled_at"].nunique() == 1
    assert len(assembled.rows) == 3 * QUARTERS - 4 - 1


def test_training_vectors_are_complete_and_know_no_feature_that_was_never_there(assembled: Any) -> None:
    vectors = np.vstack(assembled.rows["feature_vector"].tolist())
    assert vectors.shape[1] == 6
    assert EMPTY not in assembled.constants.names
    assert not np.isnan(vectors).any()


def test_labels_join_as_they_were_known_at_the_assembly(assembled: Any) -> None:
    """The default buffer of a day leaves the windows that end more than 24 hours before the failure."""
    rows = assembled.rows
    labelled = rows[rows["label"] == "pre_failure"]
    ends = rows.loc[(rows["device_id"] == "b") & (rows["window_end"] < START + pd.Timedelta(hours=6)), "window_end"]
    assert set(labelled["device_id"]) == {"b"}
    assert labelled["window_end"].tolist() == ends.tolist()
    assert len(ends) == 22  # 23 quarter hours, of which the first was too incomplete to train
    assert set(rows["label_delay_buffer_hours"]) == {24}


def test_a_gap_in_training_takes_the_device_s_own_earlier_value(assembled: Any) -> None:
    """As in scoring, and from a window that does not train itself: device a's first four are too short."""
    table = feature_table()
    own = table[(table["device_id"] == "a") & (table["window_duration_minutes"] == 15)].reset_index(drop=True)
    vectors = np.vstack(assembled.rows.loc[assembled.rows["device_id"] == "a", "feature_vector"].tolist())
    known = own[list(assembled.constants.names)].ffill().iloc[4:].to_numpy()
    known = np.where(np.isnan(known), np.nan, known)
    median = assembled.statistics.set_index("feature_name")["cohort_medians"]
    fallback = np.asarray([median[name]["WC-200"] for name in assembled.constants.names])
    np.testing.assert_array_equal(vectors, np.where(np.isnan(known), fallback, known))


@pytest.mark.nightly
def test_what_was_left_out_is_counted_by_reason(features: DataFrame, assembled: Any) -> None:
    found = learning_windows(with_cohorts(features, None, None), PROFILE).counts
    counts = training_exclusions(found, {15: len(assembled.rows)}).set_index("reason")
    assert counts["rows"].to_dict() == {
        "FEATURE_NOT_AVAILABLE": 0,
        "SENSOR_COMPLETENESS": 1,
        "READING_COUNT": 4,
        "QUALITY_FLAGS": 0,
        "KNOWN_OUTAGE": 0,
        "FIRMWARE_ROLLOUT": 0,
        "AFTER_MAINTENANCE": 0,
        "NOTHING_TO_FILL_WITH": 0,
        "ANY": 5,
        "NOT_A_TRAINING_DAY": 0,
        "OUTSIDE_SPLIT": 0,
        "NOT_DRAWN": 0,
    }
    assert counts.loc["ANY", "candidate_rows"] == 120
    assert counts.loc["ANY", "share"] == pytest.approx(5 / 120)


@pytest.mark.case("MTR-BI-02")
def test_a_snapshot_that_is_gone_is_never_replaced(features: DataFrame) -> None:
    """Not by what the dataset holds now, and not in a training either."""
    with pytest.raises(SnapshotGoneError, match=r"device_features: transaction 'ri\.tx\.1' can no longer be read"):
        reproduced_statistics(Store(**{"2": features}), SNAPSHOT, PROFILE)
    with pytest.raises(SnapshotGoneError, match=r"transaction 'ri\.tx\.0' can no longer be read"):
        read_snapshot(Store(**{"1": features}), "/Fleet/x/device_features", "ri.tx.0")

    def expired(snapshot_id: str) -> DataFrame:
        raise KeyError(snapshot_id)

    with pytest.raises(SnapshotGoneError):
        read_snapshot(expired, "/Fleet/x/device_features", SNAPSHOT)


def test_a_pinned_snapshot_is_read_or_refused() -> None:
    port = SimpleNamespace(end_transaction_rid="ri.tx.2")
    with pytest.raises(SnapshotMovedError) as caught:
        snapshot_of(port, "/Fleet/x/device_features", SNAPSHOT)
    assert "pins 'ri.tx.1', the branch is at 'ri.tx.2'. Build on a branch that ends there" in str(caught.value)
    assert snapshot_of(port, "/Fleet/x/device_features", "ri.tx.2") == "ri.tx.2"
    assert snapshot_of(port, "/Fleet/x/device_features", None) == "ri.tx.2"


@pytest.mark.nightly
def test_baselines_come_again_from_the_recorded_transaction(
    features: DataFrame, registry: DataFrame, assembled: Any
) -> None:
    computed_at = assembled.rows["assembled_at"].iloc[0]
    published = baseline_rows(assembled.statistics, computed_at)
    later = features.limit(0)  # what the branch holds now does not matter
    store = Store(**{"1": features.repartition(4), "2": later})
    again = reproduced_baselines(store, SNAPSHOT, PROFILE, computed_at, Store(**{"1": registry}))
    pd.testing.assert_frame_equal(published, again, check_exact=True)
    fleet = published[published["granularity"] == "fleet"].set_index("feature_name")
    described = assembled.statistics.set_index("feature_name")
    assert len(fleet) == 7
    assert fleet.loc["humidity_mean", "baseline_p75"] == described.loc["humidity_mean", "training_p75"]
    assert fleet.loc[EMPTY, "null_fraction"] == 1.0
    cohorts = published[published["granularity"] == "cohort"].set_index("feature_name")
    assert set(cohorts["cohort_id"]) == {"WC-200"}
    assert cohorts.loc["humidity_mean", "baseline_p50"] == described.loc["humidity_mean", "cohort_medians"]["WC-200"]
    assert EMPTY not in cohorts.index


@pytest.mark.nightly
def test_published_rows_stay_and_a_new_version_adds_its_own(spark: SparkSession, assembled: Any) -> None:
    computed_at = assembled.rows["assembled_at"].iloc[0]
    rows = baseline_rows(assembled.statistics, computed_at)
    newer = baseline_rows(assembled.statistics.assign(model_version="1.1.0"), computed_at)
    offered = spark.createDataFrame(pd.concat([rows, newer]), BASELINES_SCHEMA)
    published = spark.createDataFrame(rows, BASELINES_SCHEMA)
    added = unpublished(offered, published).toPandas()
    assert set(added["model_version"]) == {"1.1.0"}
    assert len(added) == len(newer)


@pytest.fixture(scope="module")
def properties(features: DataFrame) -> DataFrame:
    return device_properties(features, PROFILE).persist()


@pytest.mark.case("FST-HP-04")
def test_properties_are_the_features_of_the_newest_closed_day(properties: DataFrame) -> None:
    table = feature_table()
    day = table[(table["window_duration_minutes"] == 1440) & (table["window_start"] == START + pd.Timedelta(days=1))]
    expected, found = day.set_index("device_id"), properties.toPandas().set_index("device_id")
    assert sorted(found.index) == list(DEVICES)
    for device in DEVICES:
        assert found.loc[device, "avg_temperature_evaporator_24h"] == expected.loc[device, "temp_evaporator_mean"]
        current = expected.loc[device, CURRENT]
        shown = found.loc[device, "avg_compressor_current_24h"]
        assert shown == current or (
            device == "c" and np.isnan([shown, current]).all()
        )  # and not that of the day before
        assert found.loc[device, "reading_count_24h"] == 1440.0
    assert found["latest_anomaly_score"].isna().all()  # nothing is scored yet
    assert set(found["refreshed_at"]) == {START + pd.Timedelta(days=2, minutes=20)}


@pytest.mark.nightly
def test_a_property_that_stuck_or_was_lost_is_found(
    spark: SparkSession, features: DataFrame, properties: DataFrame
) -> None:
    shown = properties.toPandas()
    shown.loc[shown["device_id"] == "b", "avg_temperature_evaporator_24h"] *= 1.06
    shown.loc[shown["device_id"] == "a", "avg_compressor_current_24h"] *= 1.04
    # through Arrow pandas hands its NaN over as null: a value that is there offline and nowhere else
    shown.loc[shown["device_id"] == "a", "reading_count_24h"] = np.nan
    found = offline_vs_ontology(features, spark.createDataFrame(shown, properties.schema), PROFILE).toPandas()
    rows = found.set_index("feature_name")
    compared = dict.fromkeys(rows.index, 3) | {"avg_compressor_current_24h": 2}
    assert rows["pairs_compared"].to_dict() == compared
    assert rows["mismatches"].to_dict() == {
        "avg_temperature_evaporator_24h": 1,
        "avg_compressor_current_24h": 0,
        "reading_count_24h": 1,
    }
    assert rows.loc["avg_compressor_current_24h", "max_abs_diff"] > 1.0


@pytest.mark.nightly
def test_model_input_is_compared_with_what_is_stored(spark: SparkSession, features: DataFrame, assembled: Any) -> None:
    """The vectors of training stand for those of scoring: one function makes both. Filled values are not compared."""
    rows = assembled.rows[["device_id", "window_start", "feature_vector", "feature_names"]].copy()
    place = assembled.constants.names.index("humidity_mean")
    table = feature_table()
    short = table[table["window_duration_minutes"] == 15].set_index(["device_id", "window_start"])["humidity_mean"]
    present = [bool(short[key] == short[key]) for key in zip(rows["device_id"], rows["window_start"], strict=True)]
    moved = present.index(True)
    vector = np.array(rows["feature_vector"].iloc[moved])
    vector[place] += 2e-6
    rows.at[rows.index[moved], "feature_vector"] = vector
    schema = "device_id string, window_start timestamp, feature_vector array<double>, feature_names array<string>"
    found = offline_vs_model_input(features, spark.createDataFrame(rows, schema), PROFILE).set_index("feature_name")
    assert found["mismatches"].sum() == 1
    assert found.loc["humidity_mean", "mismatches"] == 1
    assert found.loc["humidity_mean", "pairs_compared"] == sum(present)
    assert found.loc["humidity_mean", "max_abs_diff"] == pytest.approx(2e-6, rel=1e-3)


@pytest.mark.nightly
def test_windows_after_recorded_maintenance_do_not_train_and_are_counted(
    spark: SparkSession, features: DataFrame
) -> None:
    """Device a was serviced at five past six and runs in for two hours; what was recorded later is not known yet."""
    hours = PROFILE.training.after_maintenance_hours.model_copy(update={"value": 2.0})
    training = PROFILE.training.model_copy(update={"after_maintenance_hours": hours})
    profile = PROFILE.model_copy(update={"training": training})
    service, known, later = (START + pd.Timedelta(hours=n) for n in (6 + 1 / 12, 20, 10_000))
    told = [
        ("a", service, "planned_maintenance", "maintenance_system", 1.0, known, None, None, None),
        ("b", service, "planned_maintenance", "maintenance_system", 1.0, later, None, None, None),
        ("c", service, "false_positive", "field_engineer", 0.9, known, None, None, None),
    ]
    labels = spark.createDataFrame(pd.DataFrame(told, columns=LABEL_SCHEMA.fieldNames()), LABEL_SCHEMA)
    rows = with_cohorts(features, None, None)
    found, before = learning_windows(rows, profile, labels), learning_windows(rows, profile)
    windows = found.rows.where("window_duration_minutes = 15").toPandas()
    left = windows[windows[REASON] == "AFTER_MAINTENANCE"].sort_values("window_start")
    assert set(left["device_id"]) == {"a"}
    assert left["window_start"].tolist() == [START.tz_localize(None) + pd.Timedelta(hours=6 + n / 4) for n in range(9)]
    counted = training_exclusions(found.counts, {15: 0}).set_index("reason")["rows"]
    assert counted["AFTER_MAINTENANCE"] == 9
    trains = windows[windows[REASON].isna()]
    earlier = before.rows.where("window_duration_minutes = 15").toPandas()
    assert len(trains) == earlier[REASON].isna().sum() - 9
    assert trains.columns.tolist() == earlier.columns.tolist()
