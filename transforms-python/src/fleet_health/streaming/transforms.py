"""Thresholds, their history and replayed alerts, for every profile that has streaming rules.

Where readings can be had as a stream, the query of :mod:`fleet_health.streaming.local` writes the alerts minutes
earlier; the replay gives the same rows and needs nothing but the datasets.
"""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.streaming import HISTORY_SCHEMA
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from fleet_health.streaming.runner import replay_alerts
from fleet_health.streaming.threshold_history import threshold_changes
from fleet_health.streaming.thresholds import device_stream_thresholds
from transforms.api import Input, Output, Transform, incremental, transform, transform_df


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


def history_transform(profile: Profile) -> Transform:
    """Appends the changes; a look that finds none commits nothing."""

    @incremental(semantic_version=1, snapshot_inputs=["thresholds"])
    @transform(
        thresholds=Input(paths.dataset(profile, "device_stream_thresholds")),
        history=Output(paths.dataset(profile, "threshold_history"), checks=checks_of("threshold_history", profile)),
    )
    def log_threshold_changes(ctx: Any, thresholds: Any, history: Any) -> None:
        changes = threshold_changes(thresholds.dataframe(), history.dataframe("previous", HISTORY_SCHEMA), profile)
        if ctx.is_incremental and changes.isEmpty():
            ctx.abort_job()
        history.write_dataframe(changes)

    return log_threshold_changes


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
    if profile.streaming is None:
        return []
    made = [thresholds_transform(profile), history_transform(profile), replay_transform(profile)]
    for one in made:
        one.__name__ = f"{profile.profile}_{one.__name__}"
    return made


TRANSFORMS = [one for profile in shipped_profiles() for one in for_profile(profile)]
