"""Mistakes in streaming, fallback, staleness and records: each names the place and the way out."""

from __future__ import annotations

from typing import Any

import pytest

from fleet_health.profiles.errors import ProfileReferenceError
from fleet_health.profiles.loader import shipped_profile
from fleet_health.profiles.model import Profile
from fleet_health.profiles.rules import check_agreement
from fleet_health.yaml_lines import Lines

GIVEN: dict[str, Any] = shipped_profile("refrigeration").model_dump()


def changed(*path: str | int, to: Any) -> Profile:
    """The refrigeration profile with one value changed; lists are rebuilt on the way down."""

    def put(part: Any, keys: tuple[str | int, ...]) -> Any:
        if not keys:
            return to
        head, *rest = keys
        if isinstance(part, dict):
            return {**part, head: put(part.get(head), tuple(rest))}
        return [put(one, tuple(rest)) if n == head else one for n, one in enumerate(part)]

    return Profile.model_validate(put(GIVEN, path))


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (("streaming", "rules", 0, "sensor"), "current_compresor", "current_compressor"),
        (("streaming", "rules", 0, "sensor"), "defrost_cycle", "needs a numeric sensor"),
        (("streaming", "rules", 3, "gate"), "superheat", "no boolean sensor"),
        (("streaming", "rules", 1, "average"), None, "has no `average`"),
        (("streaming", "rules", 2, "minutes"), None, "has no `minutes`"),
        (("streaming", "rules", 3, "median_of"), 3, "takes no `median_of`"),
        (("streaming", "rules", 1, "average", "feature"), "vibration_compressor_max", "no mean of"),
        (("streaming", "rules", 1, "average", "window_minutes"), 30, "no window of 30 minutes"),
        (("streaming", "rules", 0, "limit", "default"), 60, "limit 60 is not allowed"),
        (("streaming", "rules", 2, "limit", "column"), "current_limit_a", "declared twice"),
        (("streaming", "softened_below"), 0.9, "confirm an alert and clear it"),
        (("fallback", "rules", 0, "feature"), "temp_evaporator_average", "is not declared"),
        (("fallback", "rules", 0, "gate", "feature"), "defrost", "is not declared"),
        (("fallback", "scores"), [0.0, 0.4, 0.9], "do not rise"),
        (("staleness",), None, "without `staleness`"),
        (("staleness", "hourly", 1, "up_to_minutes"), 90, "do not follow"),
        (("staleness", "daily", 2, "up_to_minutes"), 9000, "in no band"),
        (("staleness", "fallback_after_minutes", "value"), 60, "stand in for a good run"),
        (("alerting", "guard", "otherwise"), "CRITICAL", "is not milder"),
        (("archive", "late_days", "value"), 0.5, "Use whole days from 0 up"),
        (("source", "ingested"), "same_as_time", "this fleet has no time of receipt"),
        (("maintenance", "label_confidence"), {"value": 80, "reason": "given in percent"}, "no share above 0"),
        (("exemplars",), {"reason": "failures are few"}, "nothing here confirms a failure"),
        (("schema_log", "covered_above", "value"), 1, "no coverage can exceed"),
        (("schema_log", "notes"), [{"sensor": "humidty", "says": "new probe"}], "Did you mean 'humidity'"),
        (("reviews", "dataset"), "/Fleet/refrigeration/maintenance_landing", "declared twice"),
    ],
)
def test_a_disagreement_is_refused(path: tuple[str | int, ...], value: Any, says: str) -> None:
    with pytest.raises(ProfileReferenceError, match=says):
        check_agreement(changed(*path, to=value), "refrigeration.yaml", Lines())


def test_a_fleet_without_these_sections_is_complete() -> None:
    bare = Profile.model_validate({**GIVEN, "streaming": None, "fallback": None, "staleness": None})
    check_agreement(bare, "bare.yaml", Lines())
