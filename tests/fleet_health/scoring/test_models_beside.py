"""Models beside the first one: each scores windows of its own length, and is heard once it is in service."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from decisions import decisions
from pyspark.sql import SparkSession

from fleet_health import paths
from fleet_health.alerting.heard import heard
from fleet_health.alerting.transforms import alert_transform
from fleet_health.contracts.registry import REGISTRY_SCHEMA
from fleet_health.monitoring.transforms import agreement_transform, health_transform, scores_transform
from fleet_health.profiles.families import InService
from fleet_health.profiles.loader import shipped_profile
from model_adapters.statistical_baseline import StatisticalBaselineAdapter

PROFILE = shipped_profile("refrigeration")
BY_FAMILY = {model.family: model for model in PROFILE.models}
START = datetime(2026, 1, 15, 12, tzinfo=UTC)
SERVED = PROFILE.model_copy(
    update={
        "in_service": (
            InService(family="statistical_baseline", since=START.date(), reason="it names the same units"),
            InService(family="autoencoder", since=START.date(), reason="it names the same units"),
        )
    }
)
DEVICES = 3
NOW = START + timedelta(hours=2)
KEY = (
    "device_id string, window_start timestamp, window_end timestamp, window_duration_minutes int, "
    "sensor_completeness double, reading_count int"
)
NAMES = ["temp_evaporator_mean", "humidity_std"]


def released(family: str) -> Any:
    """A version that scores by the odder of two features, with the window length of a family."""
    spec = BY_FAMILY[family]
    constants: Any = {
        **{key: getattr(spec, key) for key in ("model_id", "model_version", "granularity", "window_duration_minutes")},
        "feature_names": NAMES,
        "medians": [0.0] * len(NAMES),
        "cohort_medians": [],
        "scales": [1.0] * len(NAMES),
        "raw_min": 0.0,
        "raw_max": 10.0,
        "threshold": 0.25,
    }
    return StatisticalBaselineAdapter(constants)


def windows(spark: SparkSession, quarters: int) -> Any:
    """Quarters of an hour of some devices and the hours they fill; device n shows n everywhere."""
    rows = []
    for device in range(DEVICES):
        ends = [(15, 15 * (n + 1)) for n in range(quarters)] + [(60, 60 * (n + 1)) for n in range(quarters // 4)]
        for minutes, end in ends:
            at = START + timedelta(minutes=end)
            rows.append(
                (f"REF-{device}", at - timedelta(minutes=minutes), at, minutes, 1.0, minutes, float(device), 0.0, NOW)
            )
    return spark.createDataFrame(rows, f"{KEY}, {', '.join(f'{name} double' for name in NAMES)}, computed_at timestamp")


@pytest.mark.nightly
@pytest.mark.parametrize(("family", "windows_of_each"), [("autoencoder", 1), ("statistical_baseline", 5)])
def test_a_model_scores_windows_of_its_own_length_once(spark: SparkSession, family: str, windows_of_each: int) -> None:
    from fleet_health.pipeline import pipeline
    from transforms.verbs.testing.datastores import InMemoryDatastore
    from transforms.verbs.testing.TransformRunner import TransformRunner

    store, spec = InMemoryDatastore(), BY_FAMILY[family]
    landed = decisions(PROFILE, ("champion", "1.0.0", 1.0), model=spec)
    store.store_files(paths.dataset(PROFILE, "release_landing"), landed)
    store.store_dataframe(paths.dataset(PROFILE, "device_registry"), spark.createDataFrame([], REGISTRY_SCHEMA))
    received = spark.createDataFrame([(NOW,)], "timestamp_ingested timestamp")
    store.store_dataframe(paths.dataset(PROFILE, "raw_sensor_readings"), received)
    for name in ("feature_versions", "device_features"):
        store.store_dataframe(paths.dataset(PROFILE, name), windows(spark, 5))
    runner = TransformRunner(pipeline, store, bindings=dict.fromkeys(("model", "challenger"), released(family)))
    for step in ("prepare_model_input", "score_windows", "score_windows"):
        name = paths.job(PROFILE, spec, step)
        runner.run(spark, next(t for t in pipeline.transforms if t.__name__ == name))
    rows = store.get_dataframe(paths.of_model(PROFILE, spec, "model_scores"), spark).toPandas()
    assert rows.groupby("device_id").size().tolist() == [windows_of_each] * DEVICES
    assert set(rows["model_id"]) == {f"{family}_v1"}
    assert set(rows["window_duration_minutes"]) == {spec.window_duration_minutes}
    assert rows.groupby("device_id")["anomaly_score"].first().tolist() == [0.0, 0.1, 0.2]
    assert paths.dataset(PROFILE, "model_scores") not in store


def test_only_what_is_in_service_is_put_together_and_only_its_own_length_alerts() -> None:
    def read(made: Any) -> set[str]:
        return {str(param.alias) for param in made.inputs.values() if "_of/" in str(param.alias)}

    makers = (scores_transform, agreement_transform, health_transform, alert_transform)
    assert [read(make(PROFILE)) for make in makers] == [set(), set(), set(), set()]
    both = {f"/Fleet/refrigeration/model_scores_of/{family}" for family in ("statistical_baseline", "autoencoder")}
    runs = {one.replace("model_scores_of", "scoring_run_metrics_of") for one in both}
    alerting = {"/Fleet/refrigeration/model_scores_of/statistical_baseline"}
    assert [read(make(SERVED)) for make in makers] == [both, both, runs, alerting]


@pytest.mark.nightly
def test_a_model_that_scores_the_past_later_changes_no_alert(spark: SparkSession) -> None:
    columns = "device_id string, window_start timestamp, window_end timestamp, scored_at timestamp"

    def scored(*ends_and_times: tuple[int, int]) -> Any:
        at = [(START + timedelta(minutes=end), START + timedelta(minutes=when)) for end, when in ends_and_times]
        rows = [("REF-0", end - timedelta(minutes=15), end, when) for end, when in at]
        return spark.createDataFrame(rows, columns)

    # a release scores the window that ended after 15 minutes anew, and the first model was silent after 45
    leading = scored((-720, -720), (-705, -705), (15, 15), (15, 60), (30, 30), (60, 60))
    beside = scored((-720, -720), (-705, -705), (15, 60), (30, 30), (45, 60), (60, 60))
    after_noon = f"(unix_timestamp(window_end) - {START.timestamp():.0f}) div 60 AS after_noon"
    found = heard(beside, leading, SERVED.in_service[0]).selectExpr(after_noon).orderBy("after_noon").collect()
    # the window that ends at midnight began the day before
    assert [row["after_noon"] for row in found] == [-705, 30, 45, 60]
    for until, told in ((START.date(), 0), (START.date() + timedelta(days=1), 4)):
        served = SERVED.in_service[0].model_copy(update={"until": until})
        assert heard(beside, leading, served).count() == told
