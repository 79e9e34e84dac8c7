"""Where everything lies: ``/Fleet/<profile>/<contract name>``."""

from __future__ import annotations

from fleet_health.profiles.model import Profile

ROOT = "/Fleet"
STAGING = "staging"
"""A model input on this branch takes the staging release, because no version is published on a branch of that name."""


def dataset(profile: Profile, name: str) -> str:
    """The path of one of the profile's datasets."""
    return f"{ROOT}/{profile.profile}/{name}"


def model(profile: Profile) -> str:
    """The path of the profile's model: its family, so that versions of one family share a resource."""
    return f"{ROOT}/{profile.profile}/models/{profile.model.model_id.rsplit('_v', 1)[0]}"
