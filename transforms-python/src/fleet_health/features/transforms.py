"""Clean readings to windows, for every profile."""

from __future__ import annotations

from pyspark.sql import DataFrame

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.features.windows import device_features
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from transforms.api import Input, Output, Transform, transform_df


def feature_transform(profile: Profile) -> Transform:
    @transform_df(
        Output(paths.dataset(profile, "device_features"), checks=checks_of("device_features", profile)),
        clean=Input(paths.dataset(profile, "clean_sensor_readings")),
    )
    def summarise_windows(clean: DataFrame) -> DataFrame:
        return device_features(clean, profile)

    summarise_windows.__name__ = f"{profile.profile}_summarise_windows"
    return summarise_windows


TRANSFORMS = [feature_transform(profile) for profile in shipped_profiles()]
