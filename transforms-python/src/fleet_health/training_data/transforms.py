"""Windows to training rows and their statistics, for every profile."""

from __future__ import annotations

from typing import Any

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.training import STATISTICS_SCHEMA
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from fleet_health.training_data.assembly import frozen_medians, training_rows
from fleet_health.training_data.selection import eligible_windows
from fleet_health.training_data.statistics import training_statistics
from transforms.api import Input, Output, Transform, transform


def assembly_transform(profile: Profile) -> Transform:
    """Training rows are some hundred thousand at most, so their statistics are computed on the driver, exactly."""

    @transform(
        features=Input(paths.dataset(profile, "device_features")),
        data=Output(paths.dataset(profile, "training_data"), checks=checks_of("training_data", profile)),
        statistics=Output(
            paths.dataset(profile, "training_statistics"), checks=checks_of("training_statistics", profile)
        ),
    )
    def assemble_training_data(ctx: Any, features: Any, data: Any, statistics: Any) -> None:
        rows = features.dataframe()
        snapshot = features.end_transaction_rid or "unknown"
        eligible = eligible_windows(rows, profile)
        # the forest holds these same rows in memory when it trains on them
        described = training_statistics(eligible.orderBy("device_id", "window_start").toPandas(), profile, snapshot)
        statistics.write_dataframe(ctx.spark_session.createDataFrame(described, STATISTICS_SCHEMA))
        data.write_dataframe(training_rows(eligible, rows, frozen_medians(described, profile), snapshot))

    assemble_training_data.__name__ = f"{profile.profile}_assemble_training_data"
    return assemble_training_data


TRANSFORMS = [assembly_transform(profile) for profile in shipped_profiles()]
