"""Drift on Spark: one frame with every kind of movement at once, against a baseline of training rows."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from fleet_health.contracts.schemas import stored_schema
from fleet_health.monitoring.comparison import WHOLE, Measured, Period, references
from fleet_health.monitoring.definitions import shipped_metrics
from fleet_health.monitoring.drift import measure, movements_of
from fleet_health.monitoring.drift_rows import drift_rows, rows_of
from fleet_health.monitoring.errors import BaselineMismatchError
from fleet_health.monitoring.health import judged
from fleet_health.monitoring.judgement import Figure
from fleet_health.monitoring.passes import MEASURES
from fleet_health.monitoring.references import reference_rows, sketch_of
from fleet_health.monitoring.retraining import fired, shipped_triggers
from fleet_health.monitoring.triage import Movement, scope
from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("refrigeration")
MINUTES = PROFILE.model.window_duration_minutes
NAMES = list(PROFILE.model_features)
SHIFTED, EMPTY, CONSTANT, PARTIAL, UNEQUAL = NAMES[:15], NAMES[15], NAMES[16], NAMES[17], NAMES[18]
COUNTS = ["quality_flag_count", "reading_count"]
DEVICES = [f"D{n}" for n in range(10)]
TRAINED_ON, NOW = pd.Timestamp("2026-01-01"), pd.Timestamp("2026-01-21")


def windows(random: np.random.Generator, end: pd.Timestamp, per_device: int) -> pd.DataFrame:
    """Healthy windows of ten devices, the last of which end at ``end``; each device has a level of its own."""
    ends = [end - pd.Timedelta(minutes=15 * n) for n in range(per_device)]
    rows = pd.DataFrame([(device, one) for device in DEVICES for one in ends], columns=["device_id", "window_end"])
    rows["window_start"] = rows["window_end"] - pd.Timedelta(minutes=15)
    rows["window_duration_minutes"] = MINUTES
    rows["computed_at"] = rows["window_end"]
    level = rows["device_id"].map({device: 0.1 * n for n, device in enumerate(DEVICES)}).to_numpy()
    values = random.normal(size=(len(rows), len(NAMES))) + level[:, None]
    return pd.concat([rows, pd.DataFrame(values, columns=NAMES)], axis=1)


@pytest.fixture(scope="module")
def baselines() -> pd.DataFrame:
    rows = windows(np.random.default_rng(1), TRAINED_ON, 200)
    south = rows["device_id"].isin(DEVICES[:5])
    known = rows.assign(cohort_id=None, model=None, firmware_version=None, region=np.where(south, "south", "north"))
    return reference_rows(known, PROFILE, MINUTES, "t1", "r1", TRAINED_ON)


def reference(baselines: pd.DataFrame) -> Any:
    """Bins and parts of the length that is scored first."""
    found = references(baselines, PROFILE, MINUTES)
    assert found is not None
    return found


@pytest.fixture(scope="module")
def features(spark: SparkSession) -> DataFrame:
    random = np.random.default_rng(2)
    now, before = windows(random, NOW, 96), windows(random, NOW - pd.Timedelta(days=1), 96)
    now[SHIFTED] += 1.0
    now[EMPTY] = np.nan
    now[CONSTANT] = 7.0
    south = now["device_id"].isin(DEVICES[:5])
    now.loc[south, PARTIAL] += 3.0
    now[UNEQUAL] += now["device_id"].map({device: 0.2 * n for n, device in enumerate(DEVICES)})
    schema = stored_schema("device_features", PROFILE)
    together = pd.concat([now, before]).reindex(columns=schema.fieldNames())
    together = together.astype(dict.fromkeys(COUNTS, "int32"))
    plain = [
        field
        for field in schema
        if field.name in ("device_id", "window_end", "window_duration_minutes", "computed_at", *NAMES)
    ]
    return spark.createDataFrame(together[[f.name for f in plain]], type(schema)(plain))


@pytest.fixture(scope="module")
def registry(spark: SparkSession) -> DataFrame:
    rows = [(d, "south" if n < 5 else "north", None, None, None, None) for n, d in enumerate(DEVICES)]
    columns = (
        "device_id string, region string, model string, firmware_version string, cohort_id string, climate_zone string"
    )
    return spark.createDataFrame(rows, columns)


@pytest.fixture(scope="module")
def measured(features: DataFrame, registry: DataFrame, baselines: pd.DataFrame) -> Measured:
    [found] = measure(features, registry, baselines, PROFILE)
    return found


def whole(measured: Measured) -> pd.DataFrame:
    rows = pd.DataFrame(measured.rows)
    single = rows[(rows["slice_name"] == "ALL") & rows["feature_name"].isin(NAMES)]
    return single.set_index("feature_name")


@pytest.mark.case("MST-06")
def test_fifteen_of_forty_five_are_all_written_and_one_systemic_warning(baselines: pd.DataFrame) -> None:
    layout, known = reference(baselines)
    moved = windows(np.random.default_rng(2), NOW, 96)
    moved[SHIFTED] += 1.0
    now = {WHOLE: sketch_of(moved, layout)}
    period = Period(int(NOW.timestamp()), 1)
    movements = movements_of(layout, known, now, None, period)
    rows = pd.DataFrame(rows_of(list(now.items()), now, known, layout, movements, PROFILE)).set_index("feature_name")
    assert len(rows.loc[NAMES]) == 45
    assert set(rows.loc[NAMES, "reach"]) == {"all devices"}  # and no part tells otherwise
    assert rows.drop(NAMES)["reach"].isna().all()
    assert rows.loc[SHIFTED, "psi_value"].between(0.6, 1.6).all()
    assert rows.loc[NAMES[15:], "psi_value"].max() < 0.1
    assert set(rows.loc[NAMES[15:], "drift_severity"]) == {"none"}
    drifted = [Figure("ALL", 0, float((rows.loc[NAMES, "psi_value"] > 0.25).mean()))]
    metric = [one for one in shipped_metrics(MEASURES) if one.id == "DRF-07"]
    [(_, said)] = judged(metric, {"drifted_share": drifted}, PROFILE, {"feature_drift_metrics"}).verdicts
    assert (said.severity, said.status) == ("HIGH", "BREACH")


def test_a_feature_that_became_null_constant_or_a_category_is_significant_and_finite(baselines: pd.DataFrame) -> None:
    layout, known = reference(baselines)
    category = NAMES[19]
    odd = windows(np.random.default_rng(2), NOW, 96).assign(**{EMPTY: np.nan, CONSTANT: 7.0})
    odd[category] = np.sign(odd[category].round())
    now, before = sketch_of(odd, layout), sketch_of(windows(np.random.default_rng(3), NOW, 96), layout)
    movements = movements_of(layout, known, {WHOLE: now}, before, Period(int(NOW.timestamp()), 1))
    made = rows_of([(WHOLE, now)], {WHOLE: now}, known, layout, movements, PROFILE)
    rows = pd.DataFrame(made).set_index("feature_name").loc[[EMPTY, CONSTANT, category]]
    assert rows["psi_value"].between(0.25, 20.0).all()
    assert [movements[name].emptied for name in rows.index] == [True, True, False]
    assert rows["triage"].tolist() == ["pipeline_fault", "pipeline_fault", "covariate"]
    assert rows["null_rate_delta"].tolist() == [1.0, 0.0, 0.0]
    # nothing can be said of values that are not there, and no distance is infinite
    assert rows["ks_statistic"].isna().tolist() == [True, False, False]
    assert np.isfinite(rows["wasserstein_sigma"].dropna()).all()


def test_the_reach_of_a_drift_is_said_in_a_word() -> None:
    def moved(psi: float, **regions: float) -> Movement:
        return Movement(psi, None, None, {"region": regions} if regions else {}, None, None, False)

    still, north, everywhere = moved(0.05), moved(0.3, north=0.9, south=0.02), moved(0.9, north=0.9, south=0.9)
    some = moved(0.5, north=0.9, south=0.9, east=0.9, west=0.05)
    assert [
        scope({"a": still}),
        scope({"a": some, "b": still}),
        scope({"a": north, "b": north}),
        scope({"a": everywhere, "b": everywhere}),
        scope({"a": some, "b": everywhere}),
    ] == ["nothing", "one feature", "one cohort", "all devices", "many features"]


@pytest.mark.nightly
def test_the_triage_tells_faults_of_the_pipeline_from_drift(measured: Measured) -> None:
    rows = whole(measured)
    assert set(rows.loc[SHIFTED, "triage"]) == {"pipeline_fault"}  # sudden, everywhere, the same offset
    assert rows.loc[[EMPTY, CONSTANT], "triage"].tolist() == ["pipeline_fault"] * 2
    assert rows.loc[PARTIAL, "triage"] == "composition"  # one region and not the other
    assert rows.loc[UNEQUAL, "triage"] == "covariate"  # each device its own way
    assert scope(measured.movements) == "many features"
    one = {name: movement for name, movement in measured.movements.items() if name == PARTIAL}
    assert scope(one) == "one cohort"


def test_a_fault_of_the_pipeline_trains_nothing() -> None:
    figures = {"features_in_significant_drift": [Figure("ALL", n, 15.0) for n in range(3)]}
    kinds = Counter(pipeline_fault=15, covariate=4)
    assert list(fired(shipped_triggers(), figures, kinds, PROFILE)) == []
    [row] = fired(shipped_triggers(), figures, Counter(covariate=15), PROFILE)
    assert (row[0], row[1], row[3]) == ("RT-01", PROFILE.model.model_id, "train_candidate")
    assert '"triage": {"covariate": 15}' in row[2]


@pytest.mark.nightly
def test_bins_give_exact_shares_of_nulls_and_outliers(
    measured: Measured, features: DataFrame, baselines: pd.DataFrame
) -> None:
    rows = whole(measured)
    now = features.where("window_end > '2026-01-20 00:00:00'").toPandas()
    told = baselines[baselines["slice_name"] == "ALL"].set_index("feature_name")
    for name in (SHIFTED[0], CONSTANT, UNEQUAL):
        values, known = now[name], told.loc[name]
        assert (
            rows.loc[name, "out_of_range_fraction"]
            == ((values < known["minimum"]) | (values > known["maximum"])).mean()
        )
        assert rows.loc[name, "soft_band_fraction"] == ((values < known["p0_1"]) | (values > known["p99_9"])).mean()
        assert rows.loc[name, "current_mean"] == pytest.approx(values.mean())
        # sums around the mean of training: of equal values far from it seven digits cancel
        assert rows.loc[name, "current_std"] == pytest.approx(values.std(), rel=1e-9, abs=1e-6)
    assert rows.loc[EMPTY, "null_rate_delta"] == 1.0
    assert rows.loc[SHIFTED[0], "mean_shift_sigma"] == pytest.approx(1.0, abs=0.15)


@pytest.mark.nightly
def test_rows_have_the_shape_of_their_contract(measured: Measured, features: DataFrame) -> None:
    made = drift_rows([measured], features).toPandas()
    assert len(made) == len(measured.rows)
    assert str(made["scoring_window_start"].iloc[0]) == "2026-01-20 00:00:00"
    groups = made[made["feature_name"].str.startswith("group:")]
    assert set(groups["feature_name"]) == {f"group:{feature.group}" for feature in PROFILE.features}


def test_a_baseline_of_another_version_or_other_features_is_refused(baselines: pd.DataFrame) -> None:
    for wrong in (baselines.assign(model_version="9.9.9"), baselines[baselines["feature_name"] != NAMES[3]]):
        with pytest.raises(BaselineMismatchError) as caught:
            references(wrong, PROFILE, MINUTES)
        assert NAMES[0 if "9.9.9" in str(caught.value) else 3] in str(caught.value)
        assert "drift_baselines" in str(caught.value)


@pytest.mark.nightly
def test_no_row_now_gives_no_verdict(
    features: DataFrame, registry: DataFrame, baselines: pd.DataFrame, spark: SparkSession
) -> None:
    assert measure(spark.createDataFrame([], features.schema), registry, baselines, PROFILE) == []
    few: Any = features.where("device_id = 'D1' AND window_end > '2026-01-20 20:00:00'")
    [found] = measure(few, registry, baselines, PROFILE)
    rows = whole(found)
    assert set(rows["triage"]) == {"too_few_rows"}
    assert rows["psi_value"].notna().sum() == 0
