"""Measures of the pipeline itself, for every profile; they run outside the builds they measure."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.monitoring.definitions import shipped_metrics, shipped_playbook
from fleet_health.monitoring.drift import feature_drift
from fleet_health.monitoring.health import pipeline_health, quality_alerts
from fleet_health.monitoring.measures import MEASURES, Watched
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from fleet_health.training_data.statistics import of_model
from transforms.api import Input, Output, Transform, transform, transform_df

METRICS = shipped_metrics(MEASURES)
PLAYBOOK = shipped_playbook()


def drift_transform(profile: Profile) -> Transform:
    @transform(
        features=Input(paths.dataset(profile, "device_features")),
        statistics=Input(paths.dataset(profile, "training_statistics")),
        drift=Output(
            paths.dataset(profile, "feature_drift_metrics"), checks=checks_of("feature_drift_metrics", profile)
        ),
    )
    def measure_drift(features: Any, statistics: Any, drift: Any) -> None:
        # one row per feature, whatever the size of the fleet
        reference = of_model(statistics.dataframe().toPandas(), profile.model.model_id)
        drift.write_dataframe(feature_drift(features.dataframe(), reference, profile))

    return measure_drift


def health_transform(profile: Profile) -> Transform:
    @transform_df(
        Output(paths.dataset(profile, "pipeline_health_metrics"), checks=checks_of("pipeline_health_metrics", profile)),
        raw=Input(paths.dataset(profile, "raw_sensor_readings")),
        clean=Input(paths.dataset(profile, "clean_sensor_readings")),
        registry=Input(paths.dataset(profile, "device_registry")),
        drift=Input(paths.dataset(profile, "feature_drift_metrics")),
    )
    def measure_health(raw: DataFrame, clean: DataFrame, registry: DataFrame, drift: DataFrame) -> DataFrame:
        return pipeline_health(Watched(raw, clean, registry, drift, profile), METRICS)

    return measure_health


def quality_alert_transform(profile: Profile) -> Transform:
    @transform_df(
        Output(paths.dataset(profile, "quality_alerts"), checks=checks_of("quality_alerts", profile)),
        health=Input(paths.dataset(profile, "pipeline_health_metrics")),
    )
    def raise_quality_alerts(health: DataFrame) -> DataFrame:
        return quality_alerts(health, METRICS, PLAYBOOK)

    return raise_quality_alerts


def for_profile(profile: Profile) -> list[Transform]:
    made = [drift_transform(profile), health_transform(profile), quality_alert_transform(profile)]
    for one in made:
        one.__name__ = f"{profile.profile}_{one.__name__}"
    return made


TRANSFORMS = [one for profile in shipped_profiles() for one in for_profile(profile)]
