"""Thresholds and replayed alerts, for every profile that has streaming rules.

Where readings can be had as a stream, the query of :mod:`fleet_health.streaming.local` writes the alerts minutes
earlier; the replay gives the same rows and needs nothing but the datasets.
"""

from __future__ import annotations

from pyspark.sql import DataFrame

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from fleet_health.streaming.runner import replay_alerts
from fleet_health.streaming.thresholds import device_stream_thresholds
from transforms.api import Input, Output, Transform, transform_df


def thresholds_transform(profile: Profile) -> Transform:
    @transform_df(
        Output(
            paths.dataset(profile, "device_stream_thresholds"), checks=checks_of("device_stream_thresholds", profile)
        ),
        features=Input(paths.dataset(profile, "device_features")),
        registry=Input(paths.dataset(profile, "device_registry")),
    )
    def set_stream_thresholds(features: DataFrame, registry: DataFrame) -> DataFrame:
        return device_stream_thresholds(features, registry, profile)

    return set_stream_thresholds


def replay_transform(profile: Profile) -> Transform:
    @transform_df(
        Output(paths.dataset(profile, "streaming_alerts"), checks=checks_of("streaming_alerts", profile)),
        raw=Input(paths.dataset(profile, "raw_sensor_readings")),
        features=Input(paths.dataset(profile, "device_features")),
        registry=Input(paths.dataset(profile, "device_registry")),
    )
    def replay_stream(raw: DataFrame, features: DataFrame, registry: DataFrame) -> DataFrame:
        return replay_alerts(raw, features, registry, profile)

    return replay_stream


def for_profile(profile: Profile) -> list[Transform]:
    made = [thresholds_transform(profile), replay_transform(profile)] if profile.streaming is not None else []
    for one in made:
        one.__name__ = f"{profile.profile}_{one.__name__}"
    return made


TRANSFORMS = [one for profile in shipped_profiles() for one in for_profile(profile)]
