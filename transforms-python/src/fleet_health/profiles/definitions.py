"""What each feature means, as text that changes exactly when its values do.

Rows that were computed with different formulas must never stand in one dataset under one name. Two things see to that:
:func:`formula_version` goes into the semantic version of the job that computes windows, so a changed formula computes
all of them again; and the recorded definitions (``feature_store.versions``) refuse a changed formula under an old name.
"""

from __future__ import annotations

from fleet_health.profiles.model import Feature, Profile
from fleet_health.semantic_version import semantic_version

KERNEL = 1
"""Raise it when the arithmetic of the windows changes while profiles stay as they are."""


def feature_definitions(profile: Profile) -> dict[str, str]:
    """Feature name -> its formula down to the sensors, with units, in the profile's order.

    Derived features spell out their operands, so that a changed operand changes them too.
    """
    made: dict[str, str] = {}
    for feature in profile.features:
        made[feature.name] = f"{_formula(feature, profile, made)} [{feature.unit}]"
    return made


def _formula(feature: Feature, profile: Profile, earlier: dict[str, str]) -> str:
    if feature.of is not None:
        return f"{feature.aggregation}({', '.join(earlier[name] for name in feature.of)})"
    if feature.sensor is not None:
        return f"{feature.aggregation}({feature.sensor} [{profile.sensor(feature.sensor).unit}])"
    # completeness is a share of all sensors of the profile
    share = f" of {len(profile.sensors)} sensors" if feature.aggregation == "sensor_completeness" else ""
    return f"{feature.aggregation}{share}"


def formula_version(profile: Profile) -> int:
    """A number for the formulas of all feature rows; equal numbers, equal formulas.

    A feature with `available_since` is left out: it was added to rows that keep null in it, which needs no
    recomputation. Removing the key is what orders the full one.
    """
    later = {feature.name for feature in profile.features if feature.available_since is not None}
    kept = {name: text for name, text in feature_definitions(profile).items() if name not in later}
    return semantic_version([KERNEL, sorted(profile.windows_minutes), sorted(kept.items())])
