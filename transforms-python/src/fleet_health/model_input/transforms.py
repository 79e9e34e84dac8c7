"""Windows to vectors of the released models, for every profile."""

from __future__ import annotations

from typing import Any

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.model_input.cohorts import with_cohorts
from fleet_health.model_input.prepared import judged, model_input, model_input_exclusions
from fleet_health.model_input.released import roles_of
from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from palantir_models.transforms import ModelInput
from transforms.api import Input, Output, Transform, transform


def model_input_transform(profile: Profile, spec: ModelSpec | FurtherModel) -> Transform:
    """One job per model, so that one without a release waits alone."""
    optional = {}
    if profile.cohorts is not None:
        optional["registry"] = Input(paths.dataset(profile, "device_registry"))

    @transform(
        features=Input(paths.dataset(profile, "device_features")),
        releases=Input(paths.dataset(profile, "model_release_config")),
        model=ModelInput(paths.model(profile, spec.model_id)),
        challenger=ModelInput(paths.model(profile, spec.model_id), branch=paths.STAGING),
        vectors=Output(paths.of_model(profile, spec, "model_input"), checks=checks_of("model_input", profile)),
        exclusions=Output(
            paths.of_model(profile, spec, "model_input_exclusions"),
            checks=checks_of("model_input_exclusions", profile),
        ),
        **optional,
    )
    def prepare_model_input(
        features: Any, releases: Any, model: Any, challenger: Any, vectors: Any, exclusions: Any, registry: Any = None
    ) -> None:
        champion = roles_of(releases.dataframe(), model, challenger).champion
        rows = with_cohorts(features.dataframe(), registry and registry.dataframe(), profile.cohorts)
        whole = judged(rows, champion, profile).persist()
        try:
            vectors.write_dataframe(model_input(whole))
            exclusions.write_dataframe(model_input_exclusions(whole))
        finally:
            whole.unpersist()

    prepare_model_input.__name__ = paths.job(profile, spec, "prepare_model_input")
    return prepare_model_input


TRANSFORMS = [model_input_transform(profile, spec) for profile in shipped_profiles() for spec in profile.every_model]
