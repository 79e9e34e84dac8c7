"""Versions of jobs follow what a profile says: neither keys that it never names nor prose make a fleet compute anew."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from pydantic import BaseModel, create_model

from fleet_health.ingestion.cleansing_transform import cleansing_version
from fleet_health.ingestion.transforms import reading_version, registry_version
from fleet_health.profiles.keys import said
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from model_training.frozen import code_version

VERSIONS = {
    "source": reading_version,
    "registry": registry_version,
    "cleansing": cleansing_version,
    "model": lambda profile: code_version(profile.model),
}


@pytest.mark.parametrize("section", VERSIONS)
@pytest.mark.parametrize("profile", shipped_profiles(), ids=lambda profile: profile.profile)
def test_a_key_of_a_later_release_changes_the_versions_of_fleets_that_name_it_alone(
    profile: Profile, section: str
) -> None:
    version, before = VERSIONS[section], getattr(profile, section)
    later: Any = create_model("Later", __base__=type(before), a_later_key=(str | None, None))
    silent = later(**dict(before))
    assert silent.a_later_key is None  # it is a key there, and a dump would write it
    assert version(profile.model_copy(update={section: silent})) == version(profile)
    telling = later(**dict(before), a_later_key="yes")
    assert version(profile.model_copy(update={section: telling})) != version(profile)


def test_other_words_for_the_same_reason_change_nothing() -> None:
    (profile,) = (one for one in shipped_profiles() if one.profile == "air_handler")
    cleansing = profile.cleansing.model_copy(update={"max_clock_drift_reason": "said otherwise, and no less true"})
    assert cleansing_version(profile.model_copy(update={"cleansing": cleansing})) == cleansing_version(profile)
    time = profile.source.time.model_copy(update={"reason": "said otherwise, and no less true"})
    source = profile.source.model_copy(update={"time": time})
    assert reading_version(profile.model_copy(update={"source": source})) == reading_version(profile)


def test_a_default_said_aloud_says_nothing_and_every_other_value_is_said() -> None:
    class Inner(BaseModel):
        reason: str
        share: float = 0.5

    class Outer(BaseModel):
        name: str
        since: date | None = None
        parts: tuple[Inner, ...] = ()
        by_name: dict[str, Inner] = {}

    made = Outer(
        name="x",
        since=date(2026, 1, 5),
        parts=(Inner(reason="a", share=0.5), Inner(reason="b", share=0.0)),
        by_name={"reason": Inner(reason="c", share=1.0)},
    )
    assert said(made) == {
        "name": "x",
        "since": "2026-01-05",
        "parts": [{}, {"share": 0.0}],
        "by_name": {"reason": {"share": 1.0}},
    }
    assert said(Outer(name="x", since=None, parts=())) == {"name": "x"}
