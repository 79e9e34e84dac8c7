"""The life of an anomaly, window by window."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from fleet_health.alerting.events import Event, Window, events_frame, events_of
from fleet_health.profiles.loader import shipped_profile

RULES = shipped_profile("refrigeration").alerting
MIDNIGHT = datetime(2026, 1, 15, tzinfo=UTC)
MINUTES = 15


def windows(*scores: float | None, contributor: str | None = "x") -> list[Window]:
    """One window per score from midnight on; flagged above 0.6; ``None`` leaves the window out."""
    causes = None if contributor is None else (contributor,)
    return [
        Window(MIDNIGHT + timedelta(minutes=MINUTES * n), score, score > 0.6, "isolation_forest_v1", causes, 1)
        for n, score in enumerate(scores)
        if score is not None
    ]


def told(events: list[Event]) -> list[tuple[int, str, str, bool]]:
    return [
        (
            (event.window_end - MIDNIGHT) // timedelta(minutes=MINUTES),
            event.alert_type.removeprefix("ANOMALY_"),
            event.severity,
            event.suppressed,
        )
        for event in events
    ]


def life(*scores: float | None, contributor: str | None = "x") -> list[tuple[int, str, str, bool]]:
    return told(events_of(windows(*scores, contributor=contributor), MINUTES, RULES))


def test_detected_sustained_escalated_resolved() -> None:
    assert life(0.1, 0.65, 0.65, 0.9, 0.9, 0.99, 0.2, 0.2, 0.2) == [
        (1, "DETECTED", "LOW", False),
        (2, "SUSTAINED", "LOW", True),
        (3, "ESCALATED", "HIGH", False),  # the third window in a row above 0.6, the first above 0.85
        (4, "SUSTAINED", "HIGH", True),
        (5, "ESCALATED", "CRITICAL", False),
        (7, "RESOLVED", "LOW", False),
    ]


def test_one_quiet_window_does_not_end_an_anomaly() -> None:
    assert [kind for _, kind, _, _ in life(0.65, 0.1, 0.65, 0.1, 0.1, 0.65)] == [
        "DETECTED",
        "SUSTAINED",
        "RESOLVED",
        "DETECTED",
    ]


@pytest.mark.case("SRV-EC-05")
def test_a_missing_window_breaks_the_run_and_is_no_quiet_window() -> None:
    assert life(0.9, None, 0.9) == [(0, "DETECTED", "MEDIUM", False), (2, "SUSTAINED", "MEDIUM", True)]
    assert life(0.9, 0.9) == [(0, "DETECTED", "MEDIUM", False), (1, "ESCALATED", "HIGH", False)]
    # silence is not recovery: no RESOLVED, and what comes later is new
    assert [kind for _, kind, _, _ in life(0.65, None, None, None, 0.65)] == ["DETECTED", "DETECTED"]
    assert [kind for _, kind, _, _ in life(0.65, 0.1, None, 0.1, 0.1)] == ["DETECTED"]


def test_first_detection_is_remembered() -> None:
    events = events_of(windows(0.65, 0.65, 0.99, 0.1, 0.1, 0.7), MINUTES, RULES)
    ends = [(e.first_detected_at - MIDNIGHT) // timedelta(minutes=MINUTES) for e in events]
    assert ends == [0, 0, 0, 0, 5]


def test_repeats_are_silent_for_four_hours_and_not_a_minute_longer() -> None:
    gap = [None] * 2  # silence in between, so that nothing was called resolved
    fifteen = [0.65, *gap, *[None] * 12, 0.65]  # 15 windows later: 3 h 45 min
    sixteen = [0.65, *gap, *[None] * 13, 0.65]  # exactly 4 h
    assert life(*fifteen)[-1] == (15, "DETECTED", "LOW", True)
    assert life(*sixteen)[-1] == (16, "DETECTED", "LOW", False)


@pytest.mark.case("SRV-EC-03")
def test_the_four_hours_end_with_their_last_minute() -> None:
    def again_after(minutes: int) -> bool:
        first, later = (Window(MIDNIGHT + timedelta(minutes=m), 0.65, True, "m_v1", ("x",), 1) for m in (0, minutes))
        return events_of([first, later], 1, RULES)[-1].suppressed

    assert [again_after(minutes) for minutes in (239, 240, 241)] == [True, False, False]


@pytest.mark.case("SRV-EC-04")
def test_of_five_alerts_within_four_hours_one_is_loud() -> None:
    found = life(*[0.65 if n % 3 == 0 else None for n in range(13)])
    assert [(n, silent) for n, _, _, silent in found] == [(0, False), (3, True), (6, True), (9, True), (12, True)]


@pytest.mark.case("SRV-FL-03")
def test_later_windows_change_no_earlier_event() -> None:
    rows = windows(0.9, 0.9, None, 0.9, 0.99, 0.1, 0.1, 0.9, 0.9)
    whole = events_of(rows, MINUTES, RULES)
    for known in range(1, len(rows)):
        so_far = events_of(rows[:known], MINUTES, RULES)
        assert so_far == [event for event in whole if event.window_end <= rows[known - 1].end]


@pytest.mark.case("E2E-EC-07")
def test_a_critical_of_the_same_cause_within_the_silence_is_told() -> None:
    assert life(0.8, None, None, None, 0.99) == [(0, "DETECTED", "MEDIUM", False), (4, "DETECTED", "CRITICAL", False)]


@pytest.mark.case("SRV-EC-10")
def test_two_versions_of_a_family_are_one_voice() -> None:
    rows = pd.DataFrame(
        {
            "device_id": "d",
            "window_duration_minutes": MINUTES,
            "window_end": [MIDNIGHT] * 2,
            "model_id": ["isolation_forest_v1", "isolation_forest_v2"],
            "model_version": ["1.0.0", "2.0.0"],
            "scored_at": [MIDNIGHT] * 2,
            "anomaly_score": [0.62, 0.65],
            "anomaly_flag": [True, True],
            "top_contributors": [["a"], ["b"]],
        }
    )
    assert events_frame(rows, RULES)["severity"].tolist() == ["LOW"]
    other = rows.assign(model_id=["isolation_forest_v1", "statistical_baseline_v1"])
    assert events_frame(other, RULES)["severity"].tolist() == ["MEDIUM"]


@pytest.mark.case("SRV-FL-02")
def test_scoring_last_week_again_calls_nobody() -> None:
    """By a newer version, by the one before it after a rollback, and in the same run: the first word stands."""
    scores = [0.1, 0.65, 0.9, 0.1, 0.1]
    first = pd.DataFrame(
        {
            "device_id": "d",
            "window_duration_minutes": MINUTES,
            "window_end": [MIDNIGHT + timedelta(minutes=MINUTES * n) for n in range(5)],
            "model_id": "isolation_forest_v1",
            "model_version": "1.10.0",
            "anomaly_score": scores,
            "anomaly_flag": [score > 0.6 for score in scores],
            "top_contributors": [["a"]] * 5,
            "scored_at": MIDNIGHT + timedelta(hours=2),
        }
    )
    loud = first.assign(anomaly_score=0.99, anomaly_flag=True)
    week = timedelta(days=7)
    again = [
        loud.assign(model_version="2.0.0", scored_at=first["scored_at"] + week),
        loud.assign(model_version="1.9.0", scored_at=first["scored_at"] + week),
        loud.assign(model_version="1.11.0"),
    ]
    expected = events_frame(first, RULES)
    assert expected["severity"].tolist() == ["LOW", "HIGH", "LOW"]
    for rows in again:
        both = pd.concat([rows, first], ignore_index=True)
        pd.testing.assert_frame_equal(events_frame(both, RULES), expected)
    news = first.assign(**{name: first[name] + timedelta(hours=3) for name in ("window_end", "scored_at")})
    both = pd.concat([news.assign(model_version="2.0.0"), first], ignore_index=True)
    assert len(events_frame(both, RULES)) == 6


def test_suppressed_alerts_do_not_prolong_the_silence() -> None:
    series = [0.65 if n % 8 == 0 else None for n in range(33)]
    detected = [(n, silent) for n, kind, _, silent in life(*series) if kind == "DETECTED"]
    assert detected == [(0, False), (8, True), (16, False), (24, True), (32, False)]


def test_a_higher_severity_is_never_silenced_and_opens_its_own_silence() -> None:
    found = life(0.65, None, None, 0.99, None, None, 0.99)
    detected = [(n, severity, silent) for n, kind, severity, silent in found if kind == "DETECTED"]
    assert detected == [(0, "LOW", False), (3, "CRITICAL", False), (6, "CRITICAL", True)]


def test_what_opens_again_after_it_was_called_resolved_is_told() -> None:
    assert life(0.65, 0.1, 0.1, 0.65, 0.65) == [
        (0, "DETECTED", "LOW", False),
        (2, "RESOLVED", "LOW", False),
        (3, "DETECTED", "LOW", False),
        (4, "SUSTAINED", "LOW", True),
    ]


def test_another_cause_is_another_alert_and_no_cause_equals_no_cause() -> None:
    first, second = windows(0.65, None, None), windows(*[None] * 3, 0.65, contributor="y")
    assert told(events_of(first + second, MINUTES, RULES))[-1] == (3, "DETECTED", "LOW", False)
    assert life(0.65, None, None, 0.65, contributor=None)[-1] == (3, "DETECTED", "LOW", True)


def test_order_of_windows_does_not_matter() -> None:
    straight = windows(0.65, 0.7, 0.9, 0.1, 0.99, 0.1, 0.1, 0.65)
    turned = straight.copy()
    random.Random(4).shuffle(turned)
    assert events_of(turned, MINUTES, RULES) == events_of(straight, MINUTES, RULES)


def test_two_families_raise_the_severity_and_the_strongest_speaks() -> None:
    rows = pd.DataFrame(
        {
            "device_id": "d",
            "window_duration_minutes": MINUTES,
            "window_end": [MIDNIGHT] * 3,
            "model_id": ["isolation_forest_v1", "statistical_baseline_v1", "dbscan_cohort_v1"],
            "model_version": ["1.0.0", "1.0.1", "1.0.0"],
            "scored_at": [MIDNIGHT] * 3,
            "anomaly_score": [0.62, 0.65, 0.1],
            "anomaly_flag": [True, True, False],
            "top_contributors": [["a"], ["b"], None],
        }
    )
    (row,) = events_frame(rows, RULES).to_dict("records")
    assert (row["severity"], row["model_id"], row["top_contributors"]) == ("MEDIUM", "statistical_baseline_v1", ("b",))
    cohort = rows.assign(anomaly_flag=[True, False, True])  # a cohort cluster is no second opinion
    assert events_frame(cohort, RULES)["severity"].tolist() == ["LOW"]


def test_nothing_flagged_gives_an_empty_table_with_the_right_columns() -> None:
    rows = pd.DataFrame(
        {
            "device_id": ["d"],
            "window_duration_minutes": [MINUTES],
            "window_end": [MIDNIGHT],
            "model_id": ["isolation_forest_v1"],
            "anomaly_score": [0.1],
            "anomaly_flag": [False],
            "top_contributors": [None],
        }
    )
    assert events_frame(rows, RULES).empty
    assert "first_detected_at" in events_frame(rows, RULES).columns
