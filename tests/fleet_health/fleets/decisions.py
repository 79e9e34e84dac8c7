"""Decisions about versions as they land, for fleets of the tests."""

from __future__ import annotations

from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.model import Profile

HEADER = (
    "model_family,region,model_id,model_version,deployment_role,traffic_fraction,effective_from,approved_by_role,"
    "change_reason"
)


def decisions(
    profile: Profile, *rows: tuple[str, str, float], model: ModelSpec | FurtherModel | None = None
) -> dict[str, bytes]:
    """The file of ``release_landing``: role, version and share, a minute apart; by default the profile's champion."""
    model = model or profile.model
    family = model.model_id.rsplit("_v", 1)[0]
    lines = [HEADER]
    for minute, (role, version, share) in enumerate(rows or [("champion", model.model_version, 1.0)]):
        at = f"2026-01-05T00:{minute:02}:00+00:00"
        lines.append(f"{family},ALL,{model.model_id},{version},{role},{share},{at},ML Platform,test")
    return {f"{family}.csv": "\n".join(lines).encode()}
