"""How old scores may be, and when rules stand in: decisions on data time, without Spark."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from fleet_health.profiles.loader import shipped_profile
from fleet_health.scoring.staleness import Decision, Facts, decide, run_row, staleness_of

LIMITS = staleness_of(shipped_profile("refrigeration"))
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)


def look(
    score_age: float | None, features_age: float | None = 5, *, active: bool = False, model: str = "isolation_forest_v1"
) -> Decision:
    return decide(facts(score_age, features_age, model), active, LIMITS)


def facts(score_age: float | None, features_age: float | None = 5, model: str = "isolation_forest_v1") -> Facts:
    def ago(minutes: float | None) -> datetime | None:
        return None if minutes is None else NOW - timedelta(minutes=minutes)

    return Facts(NOW, ago(features_age), ago(score_age), ago(score_age), model, "1.0.0", devices_eligible=7)


@pytest.mark.case("SRV-EC-08")
def test_bands_fallback_and_page_by_score_age() -> None:
    seen = {age: look(age) for age in (104, 106, 121, 241)}
    assert {age: (d.band, d.outcome, d.page) for age, d in seen.items()} == {
        104: ("FRESH", "SUCCEEDED", False),
        106: ("STALE", "FAILED", False),
        121: ("VERY_STALE", "FALLBACK", False),
        241: ("EXPIRED", "FALLBACK", True),
    }
    # ends belong to the fresher side
    assert [look(age).band for age in (105, 120, 240)] == ["FRESH", "STALE", "VERY_STALE"]
    assert (look(120).outcome, look(240).page) == ("FAILED", False)


@pytest.mark.case("SRV-EC-09")
def test_the_first_good_run_ends_the_fallback_and_both_ways_are_on_record() -> None:
    active, switches = False, []
    for score_age in (60, 119, 121, 180, 241, 4, 64):  # one look an hour, more or less; the sixth finds a new score
        decision = look(score_age, 5, active=active)
        active = decision.outcome == "FALLBACK"
        switches.append((decision.outcome, decision.switch))
    assert switches == [
        ("SUCCEEDED", None),
        ("FAILED", None),
        ("FALLBACK", "STARTED"),
        ("FALLBACK", None),
        ("FALLBACK", None),
        ("SUCCEEDED", "ENDED"),
        ("SUCCEEDED", None),
    ]


@pytest.mark.case("SRV-BI-03")
def test_stale_features_are_not_scored_by_anything() -> None:
    for score_age in (180, 500, None):
        for active in (False, True):
            decision = look(score_age, 180, active=active)
            assert decision.outcome == "SKIPPED_STALE_FEATURES"
            assert decision.switch == ("ENDED" if active else None)
    assert look(180, 120).outcome == "FALLBACK"
    assert look(180, 120.1).outcome == "SKIPPED_STALE_FEATURES"
    assert look(None, None).outcome == "SKIPPED_STALE_FEATURES"


def test_a_model_that_never_scored_is_replaced_at_once_and_pages() -> None:
    assert look(None) == Decision("FALLBACK", "EXPIRED", None, 5.0, "STARTED", True)


def test_rules_stand_in_at_once_for_a_model_that_was_halted() -> None:
    halted = replace(facts(4), halted=True)
    assert decide(halted, False, LIMITS) == Decision("FALLBACK", "FRESH", 4.0, 5.0, "STARTED", False)
    assert decide(replace(facts(4, 180), halted=True), True, LIMITS).outcome == "SKIPPED_STALE_FEATURES"
    daily = replace(facts(4, model="autoencoder_v1"), halted=True)
    assert decide(daily, False, LIMITS).outcome == "FAILED"


def test_daily_models_have_bands_of_their_own_and_no_fallback() -> None:
    daily = {hours: look(hours * 60, model="autoencoder_v1") for hours in (27, 27.1, 51, 51.1)}
    assert [(d.band, d.outcome, d.page) for d in daily.values()] == [
        ("FRESH", "SUCCEEDED", False),
        ("STALE", "FAILED", False),
        ("STALE", "FAILED", False),
        ("EXPIRED", "FAILED", False),
    ]


def test_a_run_that_scored_is_one_row_however_often_it_is_looked_at() -> None:
    first = facts(5)
    later = replace(first, now=NOW + timedelta(minutes=40))
    rows = [run_row(f, decide(f, False, LIMITS)) for f in (first, later)]
    assert rows[0]["run_id"] == rows[1]["run_id"]
    assert rows[0]["scheduled_at"] == NOW - timedelta(minutes=5)
    failed = [run_row(f, decide(f, False, LIMITS)) for f in (facts(110), replace(facts(110), now=later.now))]
    assert failed[0]["run_id"] != failed[1]["run_id"]
    assert (failed[0]["finished_at"], failed[0]["devices_scored"]) == (None, 0)
    standing_in = run_row(facts(130), decide(facts(130), False, LIMITS))
    assert (standing_in["devices_scored"], standing_in["finished_at"]) == (7, NOW)


def test_nothing_stands_in_for_a_model_beside_the_first_and_nobody_is_called() -> None:
    silent = replace(facts(600, 5, "statistical_baseline_v1"), leads=False)
    decision = decide(silent, False, LIMITS)
    assert (decision.outcome, decision.switch, decision.page) == ("FAILED", None, False)


def test_features_of_longer_windows_come_more_seldom_and_are_fresh_for_longer() -> None:
    daily = {"leads": False, "longer_minutes": 1440 - 15}
    outcomes = [
        decide(replace(facts(age, age, "dbscan_cohort_v1"), **daily), False, LIMITS).outcome for age in (1545, 1546)
    ]
    assert outcomes == ["SUCCEEDED", "SKIPPED_STALE_FEATURES"]
