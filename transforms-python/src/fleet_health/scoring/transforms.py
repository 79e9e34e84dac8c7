"""Windows to scores with the released model, and the honest report on them, for every profile."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from fleet_health.scoring.detection import detection_report
from fleet_health.scoring.scores import model_scores
from palantir_models.transforms import ModelInput
from transforms.api import Input, Output, Transform, transform, transform_df


def scoring_transform(profile: Profile) -> Transform:
    @transform(
        vectors=Input(paths.dataset(profile, "model_input")),
        features=Input(paths.dataset(profile, "device_features")),
        model=ModelInput(paths.model(profile)),
        scores=Output(paths.dataset(profile, "model_scores"), checks=checks_of("model_scores", profile)),
    )
    def score_windows(vectors: Any, features: Any, model: Any, scores: Any) -> None:
        scores.write_dataframe(model_scores(vectors.dataframe(), features.dataframe(), model))

    return score_windows


def detection_transform(profile: Profile) -> Transform:
    @transform_df(
        Output(paths.dataset(profile, "detection_report"), checks=checks_of("detection_report", profile)),
        scores=Input(paths.dataset(profile, "model_scores")),
        labels=Input(paths.dataset(profile, "label_events")),
    )
    def report_detection(scores: DataFrame, labels: DataFrame) -> DataFrame:
        return detection_report(scores, labels, profile)

    return report_detection


def for_profile(profile: Profile) -> list[Transform]:
    made = [scoring_transform(profile)]
    # the report compares whole days, which only an inventory of days can tell it
    by_day = profile.labels is not None and profile.labels.format == "inventory"
    made += [detection_transform(profile)] if by_day else []
    for one in made:
        one.__name__ = f"{profile.profile}_{one.__name__}"
    return made


TRANSFORMS = [one for profile in shipped_profiles() for one in for_profile(profile)]
