"""Vectors by name for a released model, in one Spark job: one device per case."""

from __future__ import annotations

import math
import pickle
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from fleet_health.contracts.features import features_schema
from fleet_health.feature_store.versions import with_new_features
from fleet_health.model_input.cohorts import with_cohorts
from fleet_health.model_input.errors import FeatureOrderError, MissingFeatureError
from fleet_health.model_input.prepared import judged, model_input, model_input_exclusions
from fleet_health.model_input.vectors import refuse_missing_columns, refuse_other_order
from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("refrigeration")
ALL = PROFILE.model_features
SOME = tuple(name for name in ALL if name.endswith(("_mean", "_std")))
START = pd.Timestamp("2026-03-01")
NULL = math.nan


def model(names: tuple[str, ...] = ALL, **more: Any) -> Any:
    frozen = {
        "model_id": "isolation_forest_v1",
        "model_version": "1.2.0",
        "granularity": "fleet",
        "window_duration_minutes": 15,
        "feature_names": list(names),
        "medians": [100.0 + place for place in range(len(names))],
        "cohort_medians": [{"WC-200": 500.0 + place} for place in range(len(names))],
    }
    return SimpleNamespace(constants={**frozen, **more})


def window(device: str, quarter: int, **values: float) -> dict[str, object]:
    """A complete window whose feature at position n is n, but for ``values``."""
    start = START + pd.Timedelta(minutes=15 * quarter)
    row: dict[str, object] = {name: float(place) for place, name in enumerate(ALL)}
    row |= {"sensor_completeness": 1.0, "quality_flag_count": 0, "reading_count": 15}
    row |= {"device_id": device, "window_start": start, "window_end": start + pd.Timedelta(minutes=15)}
    return {**row, "window_duration_minutes": 15, "computed_at": start + pd.Timedelta(minutes=35), **values}


ROWS = [
    window("a-history", 0),
    window("a-history", 12, humidity_mean=NULL, temp_evaporator_mean=NULL),
    window("b-cohort", 0, humidity_mean=NULL),
    window("c-no-model", 0, humidity_mean=NULL),
    window("d-unregistered", 0, humidity_mean=NULL),
    window("e-half", 0, sensor_completeness=0.5),
    window("f-less", 0, sensor_completeness=0.4999),
    window("g-hourly", 0) | {"window_duration_minutes": 60, "window_end": START + pd.Timedelta(hours=1)},
]


def rows_of(spark: SparkSession, rows: list[dict[str, object]]) -> DataFrame:
    schema = features_schema(PROFILE)
    frame = pd.DataFrame(rows).reindex(columns=schema.fieldNames())
    return spark.createDataFrame(frame.astype({"reading_count": "int32", "quality_flag_count": "int32"}), schema)


@pytest.fixture(scope="module")
def features(spark: SparkSession) -> DataFrame:
    registry = pd.DataFrame(
        {"device_id": ["a-history", "b-cohort", "c-no-model"], "cohort_id": None, "model": ["WC-200", "WC-200", None]}
    )
    known = spark.createDataFrame(registry, "device_id string, cohort_id string, model string")
    # more partitions than devices, against the order: neither may show
    spread = rows_of(spark, ROWS).orderBy("window_start", ascending=False).repartition(5, "window_start")
    return with_cohorts(spread, known, PROFILE.cohorts)


NEWER = PROFILE.model_copy(
    update={
        "features": (
            *PROFILE.features,
            PROFILE.features[0].model_copy(update={"name": "temp_evaporator_range", "added": "v2"}),
        )
    }
)
BLIND = model(model_id="blind", medians=[NULL] * 45, cohort_medians=[])


@pytest.fixture(scope="module")
def evolved(features: DataFrame) -> DataFrame:
    """The same rows where a feature was added since, still without its cohorts."""
    return with_new_features(features, NEWER)


@pytest.fixture(scope="module")
def found(features: DataFrame, evolved: DataFrame) -> pd.DataFrame:
    """What four models get, in one job; indexed by model, device and start."""
    table = judged(features, model(), PROFILE)
    for frame, one in (
        (features, model(SOME, model_id="narrow")),
        (features, BLIND),
        (evolved.withColumn("cohort_id", F.lit("WC-200")), model(model_id="evolved")),
    ):
        table = table.unionByName(judged(frame, one, PROFILE), allowMissingColumns=True)
    blind = judged(features, BLIND, PROFILE)
    for output, split in (("inside", model_input(blind)), ("outside", model_input_exclusions(blind))):
        table = table.unionByName(split.withColumn("model_id", F.lit(output)), allowMissingColumns=True)
    return table.toPandas().set_index(["model_id", "device_id", "window_start"]).sort_index()


def forest(found: pd.DataFrame, device: str) -> Any:
    return found.loc[("isolation_forest_v1", device)].iloc[-1]


@pytest.mark.case("FST-HP-02")
def test_two_models_get_their_own_vectors_in_their_own_order(found: pd.DataFrame) -> None:
    wide = found.loc[("isolation_forest_v1", "a-history")].iloc[0]
    narrow = found.loc[("narrow", "a-history")].iloc[0]
    assert (len(wide["feature_vector"]), len(narrow["feature_vector"])) == (45, 24)
    assert tuple(wide["feature_names"]) == ALL
    assert tuple(narrow["feature_names"]) == SOME
    assert list(wide["feature_vector"])[:42] == [float(n) for n in range(42)]
    assert list(narrow["feature_vector"]) == [float(ALL.index(name)) for name in SOME]


def test_history_fills_first_and_is_counted(found: pd.DataFrame) -> None:
    row = forest(found, "a-history")
    assert list(row["feature_vector"])[:42] == [float(n) for n in range(42)]
    assert row["imputed_feature_count"] == 2
    assert (row["model_version"], row["granularity"], row["cohort_id"]) == ("1.2.0", "fleet", "WC-200")


@pytest.mark.case("XSN-BI-03")
def test_a_device_without_model_has_no_cohort_and_keeps_its_row(found: pd.DataFrame) -> None:
    place = ALL.index("humidity_mean")
    assert forest(found, "b-cohort")["feature_vector"][place] == 500.0 + place
    for device in ("c-no-model", "d-unregistered"):
        row = forest(found, device)
        assert row["cohort_id"] is None
        assert row["reason"] is None
        assert row["feature_vector"][place] == 100.0 + place


@pytest.mark.case("FST-EC-06")
def test_half_of_the_sensors_is_enough_and_less_is_not(found: pd.DataFrame) -> None:
    assert forest(found, "e-half")["reason"] is None
    assert forest(found, "f-less")["reason"] == "SENSOR_COMPLETENESS_BELOW_GATE"


def test_only_the_length_of_the_model_is_read(found: pd.DataFrame) -> None:
    assert "g-hourly" not in found.index.get_level_values("device_id")


def test_a_window_without_anything_to_fill_with_says_what_is_missing(found: pd.DataFrame) -> None:
    """The blind model was trained without ever seeing a value, so only history and complete windows are left."""
    last = found.loc["blind"].groupby("device_id").last()
    assert set(last.index[last["reason"].isna()]) == {"a-history", "e-half"}
    assert last.loc["b-cohort", "reason"] == "NOTHING_TO_FILL_WITH"
    assert list(last.loc["b-cohort", "unfilled"]) == ["humidity_mean"]
    assert last.loc["f-less", "reason"] == "SENSOR_COMPLETENESS_BELOW_GATE"


def test_every_window_is_in_exactly_one_output(found: pd.DataFrame) -> None:
    inside, outside = found.loc["inside"], found.loc["outside"]
    assert len(inside) + len(outside) == len(found.loc["blind"]) == 7
    assert not set(inside.index) & set(outside.index)
    assert outside["reason"].notna().all()
    assert inside["reason"].isna().all()  # no column of model_input


@pytest.mark.case("FST-EC-04")
def test_a_new_column_is_null_in_old_rows_and_moves_no_old_model(evolved: DataFrame, found: pd.DataFrame) -> None:
    assert evolved.columns[-2:] == ["temp_evaporator_range", "computed_at"]
    new = found.loc["evolved"]
    assert new["temp_evaporator_range"].isna().all()
    complete = ["a-history", "b-cohort", "e-half"]  # devices whose cohort is the same in both
    again, before = (frame.loc[complete, "feature_vector"] for frame in (new, found.loc["isolation_forest_v1"]))
    assert [list(one) for one in again] == [list(one) for one in before]
    assert len(again.iloc[0]) == 45


@pytest.mark.case("FST-BI-01")
def test_another_order_is_refused_with_the_place() -> None:
    swapped = [SOME[1], SOME[0], *SOME[2:]]
    with pytest.raises(FeatureOrderError) as caught:
        refuse_other_order("isolation_forest_v1", SOME, swapped)
    assert "position 0 of the vector is temp_evaporator_std, the model was trained with temp_evaporator_mean" in str(
        caught.value
    )
    with pytest.raises(FeatureOrderError, match="position 23 of the vector is missing"):
        refuse_other_order("isolation_forest_v1", SOME, SOME[:-1])
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own error, just made
    refuse_other_order("isolation_forest_v1", SOME, list(SOME))


@pytest.mark.case("FST-BI-02")
def test_a_missing_column_is_refused_with_its_name(features: DataFrame) -> None:
    with pytest.raises(MissingFeatureError) as caught:
        judged(features.drop("humidity_std"), model(), PROFILE)
    assert caught.value.missing == ("humidity_std",)
    assert "needs features that the rows do not have: humidity_std. Did you mean 'humidity_mean'?" in str(caught.value)
    refuse_missing_columns("m", ("a",), ("b", "a"))


def test_what_is_no_number_is_refused_with_device_and_feature(spark: SparkSession) -> None:
    rows = rows_of(spark, [window("x", 0)]).withColumns(
        {"humidity_std": F.lit(-math.inf), "cohort_id": F.lit(None).cast("string")}
    )
    with pytest.raises(Exception, match=r"device x: humidity_std is NaN or infinite\. A missing value is null"):
        judged(rows, model(), PROFILE).collect()
