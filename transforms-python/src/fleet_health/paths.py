"""Where everything lies: ``/Fleet/<profile>/<contract name>``."""

from __future__ import annotations

from fleet_health.profiles.families import FurtherModel, ModelSpec, family_of
from fleet_health.profiles.model import Profile

ROOT = "/Fleet"
STAGING = "staging"
"""A model input on this branch takes the staging release, because no version is published on a branch of that name."""


def dataset(profile: Profile, name: str) -> str:
    """The path of one of the profile's datasets."""
    return f"{ROOT}/{profile.profile}/{name}"


def of_model(profile: Profile, spec: ModelSpec | FurtherModel, name: str) -> str:
    """The path of what one model reads or makes: the first model's is the contract name, another's lies beside it.

    A dataset has one producer. Each model has jobs of its own, so that one which waits for its release holds up none.
    """
    return dataset(profile, name if is_first(profile, spec) else f"{name}_of/{spec.family}")


def is_first(profile: Profile, spec: ModelSpec | FurtherModel) -> bool:
    """Whether it is the model that the profile names first: the one that alerts."""
    return spec.model_id == profile.model.model_id


def job(profile: Profile, spec: ModelSpec | FurtherModel, step: str) -> str:
    """The name of a transform that each model has one of."""
    return f"{profile.profile}_{step}" + ("" if is_first(profile, spec) else f"_of_{spec.family}")


def model(profile: Profile, model_id: str | None = None) -> str:
    """The path of a model (the profile's first): its family, so that versions of one family share a resource."""
    return f"{ROOT}/{profile.profile}/models/{family_of(model_id or profile.model.model_id)}"


def experiment(profile: Profile, model_id: str) -> str:
    """The path of the record that the training of a model leaves beside it."""
    return f"{ROOT}/{profile.profile}/experiments/{family_of(model_id)}"
