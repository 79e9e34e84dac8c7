"""The window lengths that drift is measured at: all that the profile computes, each against its own training rows."""

from __future__ import annotations

from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.model import Profile

LENGTH = "window_duration_minutes"


def lengths(profile: Profile) -> tuple[int, ...]:
    """The length of the first model leads: metrics and retraining are about it."""
    scored = profile.model.window_duration_minutes
    return (scored, *sorted(set(profile.windows_minutes) - {scored}))


def model_of(profile: Profile, minutes: int) -> ModelSpec | FurtherModel:
    """The model whose version the reference of a length carries.

    The first that learns from windows of this length, for all of these learn from the same rows; where none does, the
    first model, whose devices and span the reference is made of.
    """
    return next((one for one in profile.every_model if one.window_duration_minutes == minutes), profile.model)


def watched_features(profile: Profile) -> tuple[str, ...]:
    """What any model learns from, the first model's vector in front; the same at every length."""
    return tuple(dict.fromkeys(name for model in profile.every_model for name in profile.features_of(model)))
