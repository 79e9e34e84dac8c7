"""What scores answer to a streaming alert, what counts as agreement, and the guard; without Spark."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
import pytest

from fleet_health.alerting.answers import Anomaly, answer_of, first_detections
from fleet_health.alerting.events import Window, events_of, windows_of
from fleet_health.alerting.severity import severity_of
from fleet_health.profiles.loader import shipped_profile

PROFILE = shipped_profile("refrigeration")
RULES = PROFILE.alerting
STREAMING: Any = PROFILE.streaming
NOON = datetime(2026, 1, 15, 12, tzinfo=UTC)


def after(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def windows(*scores: float, model_id: str = "isolation_forest_v1") -> list[Window]:
    return [Window(after(15 * n), s, s > 0.6, model_id, ("x",), 1) for n, s in enumerate(scores)]


def asked(*scores: float) -> tuple[int, str] | None:
    """Window and verdict for an alert five minutes past noon."""
    answer = answer_of(after(5), [(after(15 * n), score) for n, score in enumerate(scores, start=1)], STREAMING)
    return answer and ((answer.window_end - NOON) // timedelta(minutes=15), answer.verdict)


@pytest.mark.case("E2E-EC-06")
def test_a_low_score_resolves_a_high_one_sustains_and_one_between_leaves_open() -> None:
    assert asked(0.3) == (1, "softened")
    assert asked(0.7) is None
    assert asked(0.9) == (1, "confirmed")


def test_limits_belong_to_the_undecided_and_the_fourth_of_them_calls_a_person() -> None:
    assert asked(0.85) is None
    assert asked(0.6) is None
    assert asked(0.7, 0.7, 0.86) == (3, "confirmed")
    assert asked(0.7, 0.7, 0.7, 0.59) == (4, "softened")
    assert asked(0.7, 0.7, 0.7, 0.7, 0.9) == (4, "undecided")
    assert asked() is None


def test_only_a_window_that_holds_the_reading_or_follows_it_answers() -> None:
    scores = [(after(0), 0.1), (after(15), 0.9)]
    assert answer_of(after(0), scores, STREAMING) == answer_of(after(14), scores, STREAMING)  # the end is outside
    found = answer_of(after(0), scores, STREAMING)
    assert found is not None
    assert (found.window_end, found.verdict) == (after(15), "confirmed")


def test_both_paths_share_the_first_detection_and_the_future_changes_nothing() -> None:
    def batch(known: float, end: float) -> Anomaly:
        return Anomaly(("batch", known), after(known), after(known - 15), after(end), streaming=False)

    def acute(known: float, end: float) -> Anomaly:
        return Anomaly(("acute", known), after(known), after(known), after(end), streaming=True)

    seen = [acute(5, 15), batch(15, 90), acute(60, 75), batch(200, 230), batch(205, 240), acute(300, 400)]
    first = first_detections(seen)
    assert [(first[a.key] - NOON) / timedelta(minutes=1) for a in seen] == [5, 5, 5, 200, 205, 300]
    for count in range(1, len(seen)):  # what is known later is not needed
        assert first_detections(seen[:count]).items() <= first.items()


def test_band_limits_belong_to_the_band_below() -> None:
    assert [severity_of(score, 1, 2, RULES) for score in (0.85, 0.850001, 0.95, 0.950001)] == [
        "MEDIUM",
        "HIGH",
        "HIGH",
        "CRITICAL",
    ]
    assert severity_of(0.850001, 1, 1, RULES) == "MEDIUM"  # not sustained


def test_the_guard_is_off_and_asks_for_agreement_when_it_is_on() -> None:
    assert RULES.guard is not None
    assert severity_of(0.99, 1, 1, RULES) == "CRITICAL"
    on = RULES.model_copy(update={"guard": RULES.guard.model_copy(update={"enabled": True})})
    assert severity_of(0.99, 1, 1, on) == "MEDIUM"
    assert severity_of(0.99, 2, 1, on) == "CRITICAL"
    assert severity_of(0.99, 1, 2, on) == "CRITICAL"
    assert severity_of(0.90, 1, 2, on) == "HIGH"  # other severities are not guarded


def test_two_versions_of_one_family_are_one_opinion() -> None:
    rows = pd.DataFrame(
        {
            "window_end": [NOON] * 2,
            "model_id": ["isolation_forest_v1", "isolation_forest_v2"],
            "model_version": ["1.0.0", "2.0.0"],
            "scored_at": [NOON] * 2,
            "anomaly_score": [0.62, 0.65],
            "anomaly_flag": [True, True],
            "top_contributors": [["a"], ["b"]],
        }
    )
    assert [window.families for window in windows_of(rows)] == [1]
    other = rows.assign(model_id=["isolation_forest_v1", "autoencoder_v1"])
    assert [window.families for window in windows_of(other)] == [2]


def test_severity_at_a_window_depends_on_windows_up_to_it() -> None:
    series = windows(0.9, 0.9, 0.1, 0.9, 0.99, 0.1, 0.1, 0.9)
    whole = events_of(series, 15, RULES)
    assert [event.severity for event in whole] == ["MEDIUM", "HIGH", "MEDIUM", "CRITICAL", "LOW", "MEDIUM"]
    for count in range(len(series)):
        known = events_of(series[:count], 15, RULES)
        assert known == whole[: len(known)]
        assert len(known) == sum(event.window_end < after(15 * count) for event in whole)


def test_a_critical_of_the_same_contributor_is_told_an_hour_after_a_medium() -> None:
    found = events_of([*windows(0.75), *windows(*[0.1] * 4, 0.99)[4:]], 15, RULES)
    assert [(event.severity, event.suppressed) for event in found] == [("MEDIUM", False), ("CRITICAL", False)]


def test_rules_that_stand_in_resolve_what_they_opened_and_nothing_else() -> None:
    rules = "threshold_fallback_v1"
    quiet = windows(0, 0.0, 0.0, model_id=rules)[1:]
    by_model = events_of([*windows(0.9), *quiet], 15, RULES)
    assert [event.alert_type for event in by_model] == ["ANOMALY_DETECTED"]
    by_rules = events_of([*windows(0.75, model_id=rules), *quiet], 15, RULES)
    assert [event.alert_type for event in by_rules] == ["ANOMALY_DETECTED", "ANOMALY_RESOLVED"]
