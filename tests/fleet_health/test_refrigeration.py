"""The other profile, end to end: the same factories carry a fleet that shares no sensor with the first."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
import tiny_fleet as tiny
from watching import WATCH

from fleet_health.monitoring.baselines import recomputed
from fleet_health.monitoring.errors import BaselineVersionError
from mirror.health.baselines import difference, versions

# The whole way on the other profile costs ten small jobs; its parts are proved on hand-made frames every time.
pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def fleet(build_profile: Any) -> Any:
    return build_profile(tiny.PROFILE, tiny.tiny_fleet().files, last="raise_alerts")


def test_every_row_has_its_fate(fleet: Any) -> None:
    rows = fleet.frame("row_conservation").toPandas()
    found = {(row.outcome, row.reason): int(row.rows) for row in rows.itertuples()}
    assert found == tiny.tiny_fleet().fates
    dead = fleet.frame("dead_letter").toPandas()
    assert dead["reason"].value_counts().to_dict() == {
        "ALL_SENSORS_NULL": 3,
        "SCHEMA_MISMATCH": 1,
        "DESERIALIZATION_FAILURE": 1,
    }
    assert dead["dead_letter_id"].is_unique
    torn = dead[dead["reason"] == "SCHEMA_MISMATCH"].iloc[0]
    assert torn["payload"] == "REF-TEST-00001,half a line"
    assert dead["routed_at"].map(str).unique().tolist() == ["2026-01-15 17:59:00"]


def test_forty_five_features_in_three_window_lengths(fleet: Any) -> None:
    features = fleet.frame("device_features")
    assert len(features.columns) == 4 + 45 + 2
    counts = features.groupBy("window_duration_minutes").count().toPandas()
    # data time ends at 17:59, so what ended after 17:39 is not written yet
    assert dict(zip(counts["window_duration_minutes"], counts["count"], strict=True)) == {15: 4 * 70, 60: 4 * 17}


def test_the_failing_unit_is_found_and_the_cause_named(fleet: Any) -> None:
    alerts = fleet.frame("device_alerts").toPandas()
    loud = alerts[(alerts["severity"].isin(["HIGH", "CRITICAL"])) & ~alerts["suppressed"]]
    assert set(loud["device_id"]) == {tiny.FAILING}
    assert loud["window_end"].min() >= loud["window_end"].min().normalize()
    assert any(name.startswith("vibration") for name in loud.iloc[-1]["top_contributors"])
    assert set(alerts["site_id"]) == {"SITE-1"}


@pytest.mark.nightly
def test_health_of_a_fleet_at_full_rate(fleet: Any, spark: Any) -> None:
    for step in WATCH:
        fleet.runner.run(spark, fleet.transform(step))
    health = fleet.frame("pipeline_health_metrics").toPandas().set_index(["metric_id", "dimension"])
    # 16:00 to 17:00: four registered units with 60 rows each
    assert health.loc[("VOL-01", "ALL"), "value"] == 1.0
    assert health.loc[("OUT-01", "ALL"), "value"] == 0.0
    assert health.loc[("VOL-04", "ALL"), "value"] == 0.0
    coverage = fleet.frame("metric_coverage").toPandas().set_index("metric_id")["state"]
    assert len(coverage) == 77
    assert coverage[coverage == "UNKNOWN"].empty
    assert (coverage["DRF-01"], coverage["AGR-01"], coverage["FRS-11"]) == ("TOO_LITTLE", "NOT_APPLICABLE", "PLATFORM")
    drift = fleet.frame("feature_drift_metrics").toPandas()
    whole = drift[(drift["slice_name"] == "ALL") & ~drift["feature_name"].str.contains(":")]
    # 280 windows say nothing against a reference of 280, nor 68 against 68
    assert whole.groupby("window_duration_minutes").size().to_dict() == {15: 45, 60: 45}
    assert (set(whole["triage"]), whole["psi_value"].notna().sum()) == ({"too_few_rows"}, 0)


@pytest.mark.nightly
def test_the_drift_baseline_is_computed_again_byte_for_byte_and_added_once(fleet: Any, spark: Any) -> None:
    if "/Fleet/refrigeration/drift_baselines" not in fleet.runner.datastore:
        fleet.runner.run(spark, fleet.transform("publish_drift_baselines"))
    stored = pa.Table.from_pandas(fleet.frame("drift_baselines").toPandas(), preserve_index=False)
    dataset, lengths = "/Fleet/refrigeration/drift_baselines", []
    for recorded, rows in versions(stored):
        again = recomputed(dataset, lambda path, _at: fleet.frame(path.rsplit("/", 1)[-1]), recorded)
        assert difference(rows, pa.Table.from_pandas(again, schema=stored.schema, preserve_index=False)) == ""
        lengths.append((recorded["model_id"], recorded["window_duration_minutes"]))
    assert lengths == [("autoencoder_v1", 60), ("isolation_forest_v1", 15)]
    with pytest.raises(BaselineVersionError, match=r"holds a baseline of isolation_forest_v1 0\.1\.0"):
        recomputed(dataset, lambda path, _at: fleet.frame(path), {**recorded, "model_version": "0.1.0"})
    fleet.runner.run(spark, fleet.transform("publish_drift_baselines"))
    assert fleet.frame("drift_baselines").count() == stored.num_rows


@pytest.mark.nightly
def test_what_is_published_again_adds_nothing(fleet: Any, spark: Any) -> None:
    """Definitions, baselines and consistency keep their rows; the same snapshot has nothing new to say."""
    names = {
        "record_feature_definitions": ("feature_definitions", 45),
        "publish_baselines": ("feature_baselines", 114),
        "check_consistency": ("consistency_check_metrics", 45),
    }
    for step, (dataset, rows) in names.items():
        assert fleet.frame(dataset).count() == rows, dataset
        fleet.runner.run(spark, fleet.transform(step))
        assert fleet.frame(dataset).count() == rows, dataset
    baselines = fleet.frame("feature_baselines").toPandas().groupby("model_id")["feature_name"].nunique().to_dict()
    assert baselines == {"isolation_forest_v1": 45, "autoencoder_v1": 45, "statistical_baseline_v1": 24}
    agreement = fleet.frame("consistency_check_metrics").toPandas()
    assert agreement["mismatches"].sum() == 0
    assert agreement["pairs_compared"].max() == 4 * 70
