"""Feature definitions: recorded once, compared by name, and never changed under a name that is taken."""

from __future__ import annotations

import pickle
from datetime import date

import pytest

from fleet_health.feature_store.errors import ChangedDefinitionError
from fleet_health.feature_store.versions import available_since, new_definitions, refuse_changed_definitions
from fleet_health.profiles.definitions import feature_definitions, formula_version
from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.model import Feature, Profile

PROFILE = shipped_profile("refrigeration")


def edited(name: str, **change: object) -> Profile:
    features = tuple(f.model_copy(update=change) if f.name == name else f for f in PROFILE.features)
    return PROFILE.model_copy(update={"features": features})


def with_feature(**more: object) -> Profile:
    last = Feature(name="humidity_max", group="environment", aggregation="max", unit="%RH", sensor="humidity")
    return PROFILE.model_copy(update={"features": (*PROFILE.features, last.model_copy(update=more))})


def test_a_changed_formula_under_an_old_name_is_refused() -> None:
    recorded = feature_definitions(PROFILE)
    refuse_changed_definitions(recorded, PROFILE)
    with pytest.raises(ChangedDefinitionError) as caught:
        refuse_changed_definitions(recorded, edited("humidity_std", aggregation="max"))
    assert str(caught.value).startswith(
        "feature 'humidity_std' was recorded as std(humidity [%RH]) [%RH] and is max(humidity [%RH]) [%RH] now."
    )
    assert "humidity_std_v2" in str(caught.value)
    assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)  # noqa: S301 - our own error, just made


def test_a_changed_operand_changes_what_is_derived_from_it() -> None:
    changed = edited("pressure_low_mean", sensor="pressure_high_side")
    with pytest.raises(ChangedDefinitionError) as caught:
        refuse_changed_definitions({"pressure_ratio": feature_definitions(PROFILE)["pressure_ratio"]}, changed)
    assert caught.value.feature == "pressure_ratio"


def test_new_names_are_recorded_with_the_version_they_came_in() -> None:
    newer = with_feature(added="v2", available_since=date(2026, 3, 1))
    rows = new_definitions(feature_definitions(PROFILE), newer)
    assert rows.to_numpy().tolist() == [["humidity_max", "max(humidity [%RH]) [%RH]", "%RH", "v2", date(2026, 3, 1)]]
    assert len(new_definitions({}, PROFILE)) == 45


def test_only_a_changed_formula_computes_everything_again() -> None:
    version = formula_version(PROFILE)
    assert formula_version(with_feature(added="v2", available_since=date(2026, 3, 1))) == version
    assert formula_version(with_feature(added="v2")) != version  # its backfill is a full recomputation
    assert formula_version(edited("humidity_std", aggregation="max")) != version
    assert formula_version(edited("humidity_std", group="comfort")) == version
    assert formula_version(PROFILE.model_copy(update={"windows_minutes": (15, 60)})) != version


def test_training_starts_when_the_youngest_feature_is_there() -> None:
    assert available_since(PROFILE) is None
    assert available_since(with_feature(available_since=date(2026, 3, 1))) == date(2026, 3, 1)
    some = PROFILE.model.model_copy(update={"features": ("humidity_mean",)})
    late = with_feature(available_since=date(2026, 3, 1)).model_copy(update={"model": some})
    assert available_since(late) is None  # the model does not read it
