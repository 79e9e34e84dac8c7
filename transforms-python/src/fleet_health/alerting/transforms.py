"""Scores to alerts, for every profile."""

from __future__ import annotations

from pyspark.sql import DataFrame

from fleet_health import paths
from fleet_health.alerting.alerts import device_alerts
from fleet_health.contracts.compiled import checks_of
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from transforms.api import Input, Output, Transform, transform_df


def alert_transform(profile: Profile) -> Transform:
    @transform_df(
        Output(paths.dataset(profile, "device_alerts"), checks=checks_of("device_alerts", profile)),
        scores=Input(paths.dataset(profile, "model_scores")),
        registry=Input(paths.dataset(profile, "device_registry")),
    )
    def raise_alerts(scores: DataFrame, registry: DataFrame) -> DataFrame:
        return device_alerts(scores, registry, profile)

    raise_alerts.__name__ = f"{profile.profile}_raise_alerts"
    return raise_alerts


TRANSFORMS = [alert_transform(profile) for profile in shipped_profiles()]
