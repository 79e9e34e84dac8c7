"""Training rows to a published model, for every profile."""

from __future__ import annotations

from typing import Any

from fleet_health import paths
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from model_training.isolation_forest import train
from palantir_models.transforms import ModelOutput
from transforms.api import Input, Transform, transform


def training_transform(profile: Profile) -> Transform:
    @transform(
        data=Input(paths.dataset(profile, "training_data")),
        statistics=Input(paths.dataset(profile, "training_statistics")),
        model=ModelOutput(paths.model(profile)),
    )
    def train_isolation_forest(data: Any, statistics: Any, model: Any) -> None:
        # scikit-learn trains in memory on one machine; statistics are one row per feature
        adapter = train(data.dataframe().toPandas(), statistics.dataframe().toPandas(), profile)
        model.publish(model_adapter=adapter)

    train_isolation_forest.__name__ = f"{profile.profile}_train_isolation_forest"
    return train_isolation_forest


TRANSFORMS = [training_transform(profile) for profile in shipped_profiles()]
