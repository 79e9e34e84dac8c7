"""Where everything lies: ``/Fleet/<profile>/<contract name>``."""

from __future__ import annotations

from fleet_health.profiles.families import family_of
from fleet_health.profiles.model import Profile

ROOT = "/Fleet"
STAGING = "staging"
"""A model input on this branch takes the staging release, because no version is published on a branch of that name."""


def dataset(profile: Profile, name: str) -> str:
    """The path of one of the profile's datasets."""
    return f"{ROOT}/{profile.profile}/{name}"


def model(profile: Profile, model_id: str | None = None) -> str:
    """The path of a model (the profile's first): its family, so that versions of one family share a resource."""
    return f"{ROOT}/{profile.profile}/models/{family_of(model_id or profile.model.model_id)}"


def experiment(profile: Profile, model_id: str) -> str:
    """The path of the record that the training of a model leaves beside it."""
    return f"{ROOT}/{profile.profile}/experiments/{family_of(model_id)}"
