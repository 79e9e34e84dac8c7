"""Features come and go one by one: a new column is null until it is backfilled, a new formula needs a new name."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import pandas as pd

from fleet_health.feature_store.errors import ChangedDefinitionError
from fleet_health.profiles.definitions import feature_definitions
from fleet_health.profiles.model import Profile


def refuse_changed_definitions(recorded: Mapping[str, str], profile: Profile) -> None:
    """Compares by name; features that were added or removed are fine.

    Args:
        recorded: feature name -> formula, as :func:`feature_definitions` spelled it when the name was first used.
        profile: what is given now.

    Raises:
        ChangedDefinitionError: for the first feature, in the profile's order, whose formula is another one.
    """
    for name, given in feature_definitions(profile).items():
        if recorded.get(name, given) != given:
            raise ChangedDefinitionError(name, recorded[name], given)


def new_definitions(recorded: Mapping[str, str], profile: Profile) -> pd.DataFrame:
    """Rows of ``feature_definitions`` for names that are not recorded yet."""
    formulas = feature_definitions(profile)
    made = [
        (feature.name, formulas[feature.name], feature.unit, feature.added, feature.available_since)
        for feature in profile.features
        if feature.name not in recorded
    ]
    return pd.DataFrame(made, columns=["feature_name", "formula", "unit", "added_version", "available_since"])


def available_since(profile: Profile) -> date | None:
    """The first UTC day on which every feature of the model has values; ``None`` when none of them joined later."""
    members = set(profile.model_features)
    days = [f.available_since for f in profile.features if f.name in members and f.available_since is not None]
    return max(days, default=None)
