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
from fleet_health.contracts.loader import enum
from fleet_health.features.evolution import with_new_features
from fleet_health.model_input.cohorts import with_cohorts
from fleet_health.model_input.errors import MissingFeatureError, NotANumberError, OtherFeaturesError
from fleet_health.model_input.prepared import judged, model_input, model_input_exclusions
from fleet_health.model_input.vectors import (
    REASONS,
    features_id,
    refuse_missing_columns,
    refuse_odd_values,
    refuse_other_features,
)
from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("refrigeration")
ALL = PROFILE.model_features
SOME = tuple(name for name in ALL if name.endswith(("_mean", "_std")))
START = pd.Timestamp("2026-03-01")
NULL = math.nan
KEY = ["model_id", "device_id", "window_start"]


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
    window("h-empty", 0) | dict.fromkeys(ALL[:-3], NULL) | {"sensor_completeness": 0.0},
    window("g-hourly", 0) | {"window_duration_minutes": 60, "window_end": START + pd.Timedelta(hours=1)},
]


def rows_of(spark: SparkSession, rows: list[dict[str, object]]) -> DataFrame:
    schema = features_schema(PROFILE)
    frame = pd.DataFrame(rows).reindex(columns=schema.fieldNames())
    return spark.createDataFrame(frame.astype({"reading_count": "int32", "quality_flag_count": "int32"}), schema)


@pytest.fixture(scope="module")
def features(spark: SparkSession) -> DataFrame:
    return rows_of(spark, ROWS)


@pytest.fixture(scope="module")
def registry(spark: SparkSession) -> DataFrame:
    known = pd.DataFrame(
        {"device_id": ["a-history", "b-cohort", "c-no-model"], "cohort_id": None, "model": ["WC-200", "WC-200", None]}
    )
    return spark.createDataFrame(known, "device_id string, cohort_id string, model string")


NEWER = PROFILE.model_copy(
    update={
        "features": (
            *PROFILE.features,
            PROFILE.features[0].model_copy(update={"name": "temp_evaporator_range", "added": "v2"}),
        )
    }
)
NARROW = model(SOME, model_id="narrow", medians=[NULL] * len(SOME), cohort_medians=[])
"""Fewer features, and trained without ever seeing a value: only history and complete windows are left for it."""


@pytest.fixture(scope="module")
def found(features: DataFrame, registry: DataFrame) -> pd.DataFrame:
    """What two models get, in one job; indexed by model, device and start.

    The rows were written before a feature was added, so they stand in the shape of a newer profile.
    """
    evolved = with_cohorts(with_new_features(features, NEWER), registry, PROFILE.cohorts)
    wide, narrow = (judged(evolved, one, PROFILE) for one in (model(), NARROW))
    return wide.unionByName(narrow, allowMissingColumns=True).toPandas().set_index(KEY).sort_index()


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


def test_every_window_is_scored_or_says_why_not(found: pd.DataFrame) -> None:
    last = found.loc["narrow"].groupby("device_id").last()
    assert len(found.loc["narrow"]) == 8
    assert last["reason"].dropna().to_dict() == {
        "b-cohort": "NOTHING_TO_FILL_WITH",
        "c-no-model": "NOTHING_TO_FILL_WITH",
        "d-unregistered": "NOTHING_TO_FILL_WITH",
        "f-less": "SENSOR_COMPLETENESS_BELOW_GATE",
        "h-empty": "SENSOR_COMPLETENESS_BELOW_GATE",
    }
    assert list(last.loc["b-cohort", "unfilled"]) == ["humidity_mean"]


@pytest.mark.case("SRV-NU-04")
def test_a_device_without_any_value_is_left_out_with_a_reason_that_the_contract_knows(found: pd.DataFrame) -> None:
    assert forest(found, "h-empty")["reason"] == "SENSOR_COMPLETENESS_BELOW_GATE"
    assert forest(found, "a-history")["reason"] is None
    assert enum("model_input_exclusions", "reason") == REASONS


@pytest.mark.nightly
def test_every_window_is_in_exactly_one_output(features: DataFrame, registry: DataFrame) -> None:
    whole = judged(with_cohorts(features, registry, PROFILE.cohorts), NARROW, PROFILE)
    inside, outside = model_input(whole).toPandas(), model_input_exclusions(whole).toPandas()
    assert set(inside["device_id"]) == {"a-history", "e-half"}
    assert set(outside["device_id"]) == {"b-cohort", "c-no-model", "d-unregistered", "f-less", "h-empty"}
    assert len(inside) + len(outside) == 8


@pytest.mark.case("FST-EC-04")
def test_a_new_column_is_null_in_old_rows_and_moves_no_old_model(features: DataFrame, found: pd.DataFrame) -> None:
    assert with_new_features(features, NEWER).columns[-2:] == ["temp_evaporator_range", "computed_at"]
    judged_rows = found.loc["isolation_forest_v1"]
    assert judged_rows["temp_evaporator_range"].isna().all()
    assert {len(vector) for vector in judged_rows["feature_vector"]} == {45}
    first = judged_rows.loc["a-history"].iloc[0]
    assert list(first["feature_vector"])[:42] == [float(n) for n in range(42)]


@pytest.mark.case("FST-BI-01")
def test_another_order_is_refused(found: pd.DataFrame) -> None:
    told = {model: rows["features_id"].unique().tolist() for model, rows in found.groupby(level=0)}
    assert told == {"isolation_forest_v1": [features_id(ALL)], "narrow": [features_id(SOME)]}
    refuse_other_features("isolation_forest_v1", list(SOME), told["narrow"][0])
    swapped = [SOME[1], SOME[0], *SOME[2:]]
    for other in (swapped, SOME[:-1], (SOME[0] + SOME[1], *SOME[2:])):
        with pytest.raises(OtherFeaturesError, match="other features, or another order") as caught:
            refuse_other_features("isolation_forest_v1", SOME, features_id(other))
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own error, just made


@pytest.mark.case("FST-BI-02")
def test_a_missing_column_is_refused_with_its_name(features: DataFrame) -> None:
    with pytest.raises(MissingFeatureError) as caught:
        judged(features.drop("humidity_std").withColumn("cohort_id", F.lit(None)), model(), PROFILE)
    assert caught.value.missing == ("humidity_std",)
    assert "needs features that the rows do not have: humidity_std. Did you mean 'humidity_mean'?" in str(caught.value)
    refuse_missing_columns("m", ("a",), ("b", "a"))


def test_what_is_no_number_is_refused_with_device_and_feature() -> None:
    refuse_odd_values(pd.Series(["x", "y"]), pd.Series([None, None], dtype=object))
    with pytest.raises(NotANumberError) as caught:
        refuse_odd_values(pd.Series(["x", "y"]), pd.Series([None, "humidity_std"]))
    assert "device y: humidity_std is NaN or infinite. A missing value is null" in str(caught.value)


@pytest.mark.nightly
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_the_job_stops_at_what_is_no_number(spark: SparkSession, value: float) -> None:
    rows = rows_of(spark, [window("x", 0)]).withColumns(
        {"humidity_std": F.lit(value), "cohort_id": F.lit(None).cast("string")}
    )
    with pytest.raises(Exception, match="device x: humidity_std is NaN or infinite"):
        judged(rows, model(), PROFILE).collect()
