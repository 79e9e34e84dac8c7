"""How old scores are, and whether rules stand in for the model.

All times are data time: *now* is the newest receipt time of raw readings, which goes on when features or scores do not.
The log knows one row per run that scored, and one per look that finds none where one is due: features are too old to
be judged by anything (SKIPPED_STALE_FEATURES), or they wait and have not been scored for so long, or the model was
halted, that rules stand in (FALLBACK), or not yet so long (FAILED).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fleet_health.contracts import runs
from fleet_health.ids import natural_key_id_of
from fleet_health.profiles.errors import ProfileReferenceError
from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.model import Profile
from fleet_health.profiles.serving import Staleness, StalenessBand


@dataclass(frozen=True)
class Facts:
    """What one look at the datasets of a model finds; ``None`` where there is nothing yet.

    Attributes:
        now: newest receipt time of raw readings.
        features_at: newest ``computed_at`` of windows of the model's length.
        scored_at: newest ``scored_at`` of the model.
        scored_through: end of the newest window that the model scored.
        model_id, model_version: the release that scores.
        devices_eligible: devices with a window above the completeness limit in the span of the newest run.
        devices_scored, rows_scored: what that run scored.
        excluded_low_completeness: windows of the span below the limit.
        excluded_unimputable: windows of the span that nothing could fill.
        excluded_dropout: active devices without any window in the span.
        halted: whether somebody stopped the model.
        leads: whether it is the fleet's first model, for which rules stand in and people are called; while another one
            is silent, the first keeps coverage.
        longer_minutes: how much longer its windows are than the fleet's shortest: they come that much more seldom, and
            features of that age are as fresh as they can be.
    """

    now: datetime
    features_at: datetime | None
    scored_at: datetime | None
    scored_through: datetime | None
    model_id: str
    model_version: str
    devices_eligible: int = 0
    devices_scored: int = 0
    rows_scored: int = 0
    excluded_low_completeness: int = 0
    excluded_unimputable: int = 0
    excluded_dropout: int = 0
    halted: bool = False
    leads: bool = True
    longer_minutes: int = 0


@dataclass(frozen=True)
class Decision:
    """``switch`` is STARTED or ENDED on the row on which the fallback begins or ends, else null."""

    outcome: str
    band: str
    score_age: float | None
    features_age: float | None
    switch: str | None
    page: bool


def staleness_of(profile: Profile) -> Staleness:
    """Raises ProfileReferenceError for a profile without a ``staleness`` section."""
    if profile.staleness is None:
        problem = "no `staleness` section"
        raise ProfileReferenceError(profile.profile, None, problem, "Add bands, or let nothing ask for the age.")
    return profile.staleness


def band_of(age: float | None, bands: Sequence[StalenessBand]) -> str:
    """The band of an age in minutes; ends belong to the fresher band. Scores that never were are in the last one."""
    if age is None:
        return bands[-1].band
    return next(band.band for band in bands if band.up_to_minutes is None or age <= band.up_to_minutes)


def is_daily(model_id: str, staleness: Staleness) -> bool:
    return model_id.rsplit("_v", 1)[0] in staleness.daily_families


def longer_minutes(profile: Profile, model: ModelSpec | FurtherModel) -> int:
    """How much longer a model's windows are than the fleet's shortest."""
    return model.window_duration_minutes - min(profile.windows_minutes)


def fresh_until(staleness: Staleness, longer: int) -> float:
    """The age in minutes up to which features may be judged; windows that are longer come that much more seldom."""
    return staleness.features_fresh_minutes.value + longer


def decide(facts: Facts, was_active: bool, staleness: Staleness) -> Decision:
    """What one look decides.

    Args:
        facts: what was found.
        was_active: whether rules were standing in at the last look.
        staleness: the limits.

    Returns:
        the decision. A model that was halted has no good run; any other run is good when scores follow the features,
        or are no older than the schedule allows (the first band). Rules stand in for the first model alone, and only
        where it is an hourly one, while features are fresh, and until the next good run.
    """
    daily = is_daily(facts.model_id, staleness)
    called = facts.leads and not daily
    bands = staleness.daily if daily else staleness.hourly
    score_age, features_age = _age(facts.now, facts.scored_at), _age(facts.now, facts.features_at)
    band = band_of(score_age, bands)
    fresh = features_age is not None and features_age <= fresh_until(staleness, facts.longer_minutes)
    follows = facts.scored_at is not None and facts.features_at is not None and facts.scored_at >= facts.features_at
    overdue = score_age is None or score_age > staleness.fallback_after_minutes.value
    if not fresh:
        outcome = runs.SKIPPED_STALE_FEATURES
    elif not facts.halted and (follows or band == bands[0].band):
        outcome = runs.SUCCEEDED
    else:
        outcome = runs.FALLBACK if (overdue or facts.halted) and called else runs.FAILED
    active = outcome == runs.FALLBACK
    switch = None if active == was_active else runs.STARTED if active else runs.ENDED
    page = called and (score_age is None or score_age > staleness.page_after_minutes.value)
    return Decision(outcome, band, score_age, features_age, switch, page)


def _age(now: datetime, then: datetime | None) -> float | None:
    return None if then is None else (now - then) / timedelta(minutes=1)


def run_row(facts: Facts, decision: Decision) -> dict[str, object]:
    """The row of ``scoring_run_metrics``.

    A run that scored is identified by the time of its scores, so that looking at it twice makes no second row; any
    other row by the time of the look. Throughput stays null: no clock is read, and data time does not pass while a run
    works. ``features_available_at`` is ``now`` where there are no features.
    """
    scored, stands_in = decision.outcome == runs.SUCCEEDED, decision.outcome == runs.FALLBACK
    at = facts.scored_at if scored and facts.scored_at is not None else facts.now
    return {
        "run_id": natural_key_id_of("run", facts.model_id, "scored" if scored else "looked", at.isoformat()),
        "model_id": facts.model_id,
        "model_version": facts.model_version,
        "scheduled_at": at,
        "started_at": at,
        "finished_at": at if scored or stands_in else None,
        "features_available_at": facts.features_at or facts.now,
        "outcome": decision.outcome,
        "devices_eligible": facts.devices_eligible,
        "devices_scored": facts.devices_scored if scored else facts.devices_eligible if stands_in else 0,
        "rows_scored": facts.rows_scored if scored else 0,
        "excluded_low_completeness": facts.excluded_low_completeness,
        "excluded_unimputable": facts.excluded_unimputable,
        "excluded_dropout": facts.excluded_dropout,
        "devices_per_minute": None,
        "score_age_minutes": decision.score_age,
        "features_age_minutes": decision.features_age,
        "band": decision.band,
        "fallback_switch": decision.switch,
        "page": decision.page,
        "scored_through": facts.scored_through,
    }
