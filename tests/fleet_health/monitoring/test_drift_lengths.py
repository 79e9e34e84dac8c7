"""Drift at several window lengths at once: each against its own reference, by its own period, none added to another."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
import training_fleet as fleet
from pyspark.sql import DataFrame, SparkSession
from synthetic_windows import synthetic_windows

from fleet_health.contracts.features import features_schema
from fleet_health.contracts.monitoring import DRIFT_BASELINES_SCHEMA
from fleet_health.contracts.registry import REGISTRY_SCHEMA
from fleet_health.contracts.schemas import stored_schema
from fleet_health.monitoring import baselines
from fleet_health.monitoring.baselines import published_baselines, recomputed
from fleet_health.monitoring.comparison import Measured
from fleet_health.monitoring.drift import measure
from fleet_health.monitoring.drift_rows import drift_rows
from fleet_health.monitoring.errors import BaselineVersionError
from fleet_health.monitoring.measured import Watched, collected
from fleet_health.monitoring.passes_of_drift import PASSES
from fleet_health.monitoring.references import reference_rows
from fleet_health.monitoring.retraining import _kinds
from fleet_health.profiles.loader import shipped_profile
from mirror.health.baselines import difference, versions
from mirror.synth import Anomaly, load_fleet

SHIPPED = shipped_profile("refrigeration")
FEW, UNSEEN = 120, 240
# by day drift is measured at the length that is scored
pytestmark = pytest.mark.nightly
PROFILE = SHIPPED.model_copy(
    update={
        # a few features behave like all of them
        "features": SHIPPED.features[:6],
        "windows_minutes": (15, 60, 1440, FEW, UNSEEN),
    }
)
NAMES = list(PROFILE.model_features)
MOVED = {15: NAMES[0], 60: NAMES[1], 1440: NAMES[2]}
"""What moved at each length, and at no other one."""
DEVICES = [f"D{n:02d}" for n in range(70)]
NOW = pd.Timestamp("2026-01-21")
PER_DEVICE = {15: 10, 60: 10, 1440: 14, FEW: 1, UNSEEN: 10}


def windows(seed: int, minutes: int, end: pd.Timestamp, per_device: int) -> pd.DataFrame:
    """Healthy windows of every device, one after the other up to ``end``; longer ones scatter less."""
    ends = [end - pd.Timedelta(minutes=minutes * n) for n in range(per_device)]
    rows = pd.MultiIndex.from_product([DEVICES, ends], names=["device_id", "window_end"]).to_frame(index=False)
    values = np.random.default_rng((seed, minutes)).normal(scale=15 / minutes, size=(len(rows), len(NAMES)))
    return pd.concat([rows, pd.DataFrame(values, columns=NAMES)], axis=1).assign(
        window_duration_minutes=minutes,
        window_start=rows["window_end"] - pd.Timedelta(minutes=minutes),
        computed_at=rows["window_end"],
    )


@pytest.fixture(scope="module")
def found(spark: SparkSession) -> list[Measured]:
    unknown = dict.fromkeys(("cohort_id", "model", "region", "firmware_version"))
    known = pd.concat(
        reference_rows(
            windows(1, minutes, NOW, 40).assign(**unknown), PROFILE, minutes, "t1", "r1", NOW - pd.Timedelta(days=90)
        )
        for minutes in (15, 60, 1440, FEW)
    )
    rows = pd.concat(windows(2, minutes, NOW, n) for minutes, n in PER_DEVICE.items())
    for minutes, name in MOVED.items():
        # also in the period before, so that no device has to be asked
        rows.loc[rows["window_duration_minutes"] == minutes, name] += 15 / minutes
    schema = stored_schema("device_features", PROFILE)
    kept = [field for field in schema if field.name in rows.columns]
    typed = rows[[field.name for field in kept]].astype({"window_duration_minutes": "int32"})
    frame = spark.createDataFrame(typed, type(schema)(kept))
    return measure(frame, spark.createDataFrame([], REGISTRY_SCHEMA), known, PROFILE)


def test_a_shift_is_found_at_its_own_length_and_the_others_stay_quiet(found: list[Measured]) -> None:
    assert [one.minutes for one in found] == [15, 60, 120, 240, 1440]
    for one in found:
        rows = pd.DataFrame(one.rows)
        features = rows[rows["feature_name"].isin(NAMES)].set_index("feature_name")
        assert list(features.index) == NAMES
        assert set(features["window_duration_minutes"]) == {one.minutes}
        if one.minutes in MOVED:
            moved = MOVED[one.minutes]
            assert features.loc[moved, "psi_value"] == pytest.approx(1.0, abs=0.35)
            assert features.loc[moved, "mean_shift_sigma"] == pytest.approx(1.0, abs=0.1)
            assert features["psi_value"].drop(moved).max() < 0.1
            assert set(features["reach"]) == {"one feature"}
        else:
            assert features.get("psi_value", pd.Series(dtype=float)).notna().sum() == 0


def test_a_length_is_compared_by_its_own_days_or_says_why_not(found: list[Measured]) -> None:
    days = {one.minutes: one.period.days for one in found}
    # a day has one window of 1440 minutes per device, and 70 rows are no verdict
    assert days == {15: 1, 60: 1, 1440: 4, FEW: 1, UNSEEN: 1}
    told = {one.minutes: {row.get("triage") for row in one.rows if row["feature_name"] in NAMES} for one in found}
    assert (told[FEW], told[UNSEEN]) == ({"too_few_rows"}, {"no_reference"})
    counts = {one.minutes: one.rows[0]["current_row_count"] for one in found}
    assert counts == {15: 700, 60: 700, 1440: 280, FEW: 70, UNSEEN: 0}


def test_the_reference_is_of_the_model_that_learns_from_the_length(found: list[Measured]) -> None:
    models = {one.minutes: {row["model_id"] for row in one.rows} for one in found}
    first = "isolation_forest_v1"
    assert models == {15: {first}, 60: {"autoencoder_v1"}, 1440: {"dbscan_cohort_v1"}, FEW: {first}, UNSEEN: {first}}


def test_metrics_and_triggers_count_a_feature_once(found: list[Measured], spark: SparkSession) -> None:
    """Two more features at 60 minutes: what is counted for the scored length stays one; each length says its own."""
    raised = [
        {**row, "psi_value": 0.9, "triage": "covariate"} if row["feature_name"] in NAMES[3:5] else row
        for row in found[1].rows
    ]
    told = [found[0], Measured(60, raised, found[1].movements, found[1].period), *found[2:]]
    features = spark.createDataFrame([(NOW.to_pydatetime(),)], "computed_at timestamp")
    watched = Watched({"feature_drift_metrics": drift_rows(told, features).cache()}, PROFILE)
    figures = collected(watched, PASSES[:1])
    assert [one.value for one in figures["features_in_significant_drift"]] == [1.0]
    assert len(figures["psi"]) == len({one.dimension for one in figures["psi"]}) == 6
    beside = {one.dimension: (one.value, one.rows) for one in figures["features_drifted_beside"]}
    assert beside == {"60": (3, None), "1440": (1, None), "120": (0, -1), "240": (0, -1)}
    assert _kinds(watched) == {"sensor_hardware": 1}


def test_synthetic_units_are_quiet_at_every_length_and_a_fault_shows_at_every_length(spark: SparkSession) -> None:
    """70 units of which thirteen days trained: their days are compared by five, in which the sensor was changed."""
    planted = [Anomaly(None, "vibration_scale_change", 15 * 24)]
    unknown = dict.fromkeys(("cohort_id", "model", "region", "firmware_version"))
    moved = {}
    for name, anomalies in (("healthy", []), ("planted", planted)):
        known, rows = [], []
        for minutes in (15, 60, 1440):
            made = synthetic_windows(load_fleet(), 18, range(70), 20 * 24, anomalies, minutes)
            until = made["window_start"].min() + pd.Timedelta(days=13)
            trained = made[made["window_end"] <= until].assign(**unknown)
            known.append(reference_rows(trained, SHIPPED, minutes, "t1", "r1", until))
            days = 14 if minutes == 1440 else 2
            rows.append(made[made["window_end"] > made["window_end"].max() - pd.Timedelta(days=days)])
        frame = spark.createDataFrame(pd.concat(rows), stored_schema("device_features", SHIPPED))
        found = measure(frame, spark.createDataFrame([], REGISTRY_SCHEMA), pd.concat(known), SHIPPED)
        assert {one.minutes: (len(one.movements), one.period.days) for one in found} == {
            15: (45, 1),
            60: (45, 1),
            1440: (45, 5),
        }
        moved[name] = {one.minutes: {n for n, told in one.movements.items() if told.psi > 0.1} for one in found}
    assert moved["healthy"] == {15: set(), 60: set(), 1440: set()}
    shaken = {f"vibration_compressor_{kind}" for kind in ("mean", "std", "max", "p95")}
    assert moved["planted"] == {15: shaken, 60: shaken, 1440: shaken}


@pytest.fixture(scope="module")
def frames(spark: SparkSession) -> dict[str, DataFrame]:
    """A fleet in which windows of 60 minutes train nothing."""
    quarters = fleet.feature_table().query("reading_count == 15 and quality_flag_count == 0")
    hours = quarters.assign(
        window_start=quarters["window_start"].dt.floor("h"), window_duration_minutes=60, reading_count=60
    )
    hours["window_end"] = hours["window_start"] + pd.Timedelta(hours=1)
    schema = features_schema(fleet.PROFILE)
    counts = dict.fromkeys(("reading_count", "quality_flag_count", "window_duration_minutes"), "int32")
    table = pd.concat([fleet.feature_table(), hours]).reindex(columns=schema.fieldNames()).astype(counts)
    models = [(one.model_id, one.model_version, "t1") for one in fleet.PROFILE.every_model]
    return {
        "device_features": spark.createDataFrame(table, schema),
        "device_registry": spark.createDataFrame([], REGISTRY_SCHEMA),
        "training_statistics": spark.createDataFrame(
            models, "model_id string, model_version string, snapshot_id string"
        ),
    }


@pytest.fixture(scope="module")
def published(frames: dict[str, DataFrame], spark: SparkSession) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """What the training adds to the rows that were there."""

    def added(before: pd.DataFrame) -> pd.DataFrame:
        features, registry = (
            SimpleNamespace(dataframe=lambda name=name: frames[name], end_transaction_rid=at)
            for name, at in (("device_features", "t1"), ("device_registry", "r1"))
        )
        rows = before.reindex(columns=DRIFT_BASELINES_SCHEMA.fieldNames()).astype(object)
        told = spark.createDataFrame(rows.where(rows.notna(), None), DRIFT_BASELINES_SCHEMA)
        return published_baselines(features, frames["training_statistics"], registry, told, fleet.PROFILE).toPandas()

    return added


@pytest.fixture(scope="module")
def before() -> pd.DataFrame:
    """A row of the length that trained the first model, as a release wrote it that knew no other length."""
    version = {"model_id": "isolation_forest_v1", "model_version": "1.0.0", "window_duration_minutes": 15}
    which = {"feature_name": "f", "slice_name": "ALL", "slice_value": "ALL", "snapshot_id": "t1"}
    bins = {"edges": [], "counts": [], "row_count": 1, "null_count": 0}
    return pd.DataFrame([{**version, **which, **bins, "registry_snapshot_id": "r0", "computed_at": NOW}])


@pytest.fixture(scope="module")
def made(published: Callable[[pd.DataFrame], pd.DataFrame], before: pd.DataFrame) -> pd.DataFrame:
    return published(before)


def test_a_length_that_trains_nothing_has_the_devices_and_the_span_of_the_training(
    made: pd.DataFrame, before: pd.DataFrame, published: Callable[[pd.DataFrame], pd.DataFrame]
) -> None:
    """It is added beside the length that is there already, and once."""
    whole = made[(made["slice_name"] == "ALL") & (made["feature_name"] == "humidity_mean")]
    by_length = whole.set_index("window_duration_minutes")
    assert by_length["model_id"].to_dict() == {60: "isolation_forest_v1", 1440: "dbscan_cohort_v1"}
    assert by_length.loc[60, "row_count"] == expected_hours()
    assert published(pd.concat([before, made])).empty


def test_a_length_that_trains_nothing_is_computed_again_byte_for_byte(
    made: pd.DataFrame, frames: dict[str, DataFrame], monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = "/Fleet/refrigeration/drift_baselines"
    monkeypatch.setitem(baselines.PROFILES, dataset, fleet.PROFILE)
    kept = {one["window_duration_minutes"]: (one, rows) for one, rows in versions(pa.Table.from_pandas(made))}
    assert set(kept) == {60, 1440}
    for recorded, rows in kept.values():
        again = recomputed(dataset, lambda path, _: frames[path.rpartition("/")[2]], recorded)
        assert difference(rows, pa.Table.from_pandas(again, schema=rows.schema)) == ""
    with pytest.raises(BaselineVersionError, match=r"isolation_forest_v1 1\.0\.0 in windows of 30 minutes"):
        recomputed(dataset, lambda path, _: frames[path], {**kept[60][0], "window_duration_minutes": 30})


def expected_hours() -> int:
    """Noons of the training period but the one of the outage, and the hour that ends with it; one noon was spoilt."""
    noons = pd.date_range("2026-01-01 12:00", fleet.TRAINED, freq="4D")
    inside = [noon for noon in noons if noon >= pd.Timestamp("2026-01-07") and noon.date() != fleet.OUTAGE[0].date()]
    train = [device for device, part in fleet.PART.items() if part == "train"]
    return (len(inside) + 1) * len(train) - ("unit-00" in train)
