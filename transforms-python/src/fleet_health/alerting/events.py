"""The life of an anomaly on one device: detected, sustained, escalated, resolved; and who is not told twice.

An anomaly is open from its first flagged window until ``resolve_after_windows`` windows in a row are not flagged.
Missing windows end it silently: what was not measured cannot be called resolved. Neither can what only the rules of the
fallback find quiet, unless they opened it: they see less than a model.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pandas as pd

from fleet_health.alerting.severity import rank, severity_of
from fleet_health.contracts.alerts import EVENT_SCHEMA
from fleet_health.profiles.model import Alerting

STAND_IN = "threshold_fallback"
"""The family whose silence proves nothing."""


@dataclass(frozen=True)
class Window:
    """All that the released models say about one closed window of one device."""

    end: datetime
    score: float
    flagged: bool
    model_id: str
    contributors: tuple[str, ...] | None
    families: int


@dataclass(frozen=True)
class Event:
    window_end: datetime
    model_id: str
    alert_type: str
    severity: str
    anomaly_score: float
    top_contributors: tuple[str, ...] | None
    first_detected_at: datetime
    suppressed: bool = False


def events_of(windows: Iterable[Window], minutes: int, rules: Alerting) -> list[Event]:
    """The events of one device and window length, oldest first, suppressed ones marked.

    Args:
        windows: in any order, at most one per end.
        minutes: length of every window.
        rules: severities, deduplication and resolution.
    """
    return _mark_repeats(_life(sorted(windows, key=lambda w: w.end), minutes, rules), rules)


def _life(windows: list[Window], minutes: int, rules: Alerting) -> list[Event]:
    step = timedelta(minutes=minutes)
    events: list[Event] = []
    opened: Event | None = None  # first event of the open anomaly
    worst = -1
    last_flagged: datetime | None = None
    run = quiet = 0
    previous: Window | None = None
    for window in windows:
        adjacent = previous is not None and window.end - previous.end == step
        if last_flagged is not None and window.end - last_flagged > step * rules.resolve_after_windows:
            opened = None
        if not window.flagged and opened is not None and _proves_nothing(window, opened):
            continue
        if window.flagged:
            run = run + 1 if adjacent and previous is not None and previous.flagged else 1
            severity = severity_of(window.score, window.families, run, rules)
            kind = "ANOMALY_DETECTED" if opened is None else "ANOMALY_SUSTAINED"
            if opened is not None and rank(severity) > worst:
                kind = "ANOMALY_ESCALATED"
            since = window.end if opened is None else opened.first_detected_at
            event = Event(window.end, window.model_id, kind, severity, window.score, window.contributors, since)
            events.append(event)
            worst = rank(severity) if opened is None else max(worst, rank(severity))
            opened = opened or event
            last_flagged, quiet = window.end, 0
        elif opened is not None:
            quiet = quiet + 1 if adjacent else 1
            if quiet >= rules.resolve_after_windows:
                calm = Event(
                    window.end, opened.model_id, "ANOMALY_RESOLVED", "LOW", window.score, None, opened.first_detected_at
                )
                events.append(replace(calm, top_contributors=opened.top_contributors))
                opened = None
        previous = window
    return events


def _proves_nothing(window: Window, opened: Event) -> bool:
    return family(window.model_id) == STAND_IN and family(opened.model_id) != STAND_IN


def _mark_repeats(events: list[Event], rules: Alerting) -> list[Event]:
    """Silences what repeats an alert of the same model and main contributor inside the window the first one opened.

    A higher severity and every escalation or resolution pass; what passes with a higher severity opens a new window.
    Suppressed rows do not prolong one, and a resolution closes every one: whoever was told that it is over must be told
    that it is back. The distance is measured between window ends, so it does not depend on how many
    windows one run happens to process.
    """
    silence = timedelta(hours=rules.dedup_hours)
    anchors: dict[tuple[str, str | None], Event] = {}
    marked = []
    for event in events:
        key = (event.model_id, event.top_contributors[0] if event.top_contributors else None)
        anchor = anchors.get(key)
        fresh = (
            anchor is None
            or event.window_end - anchor.window_end >= silence
            or rank(event.severity) > rank(anchor.severity)
        )
        always = event.alert_type in ("ANOMALY_ESCALATED", "ANOMALY_RESOLVED")
        if event.alert_type == "ANOMALY_RESOLVED":
            anchors.clear()  # a resolved anomaly was taken off the list; what opens again is news
        elif fresh:
            anchors[key] = event
        marked.append(event if fresh or always else replace(event, suppressed=True))
    return marked


def events_frame(scores: pd.DataFrame, rules: Alerting) -> pd.DataFrame:
    """The events of one device and window length as rows of ``EVENT_SCHEMA``.

    Args:
        scores: rows of ``model_scores`` of one device and one length, every released model.
        rules: see :func:`events_of`.
    """
    minutes = int(scores["window_duration_minutes"].iloc[0])
    events = [vars(event) for event in events_of(windows_of(scores), minutes, rules)]
    if not events:  # pandas would call empty columns double, which Arrow refuses to read as timestamps
        return pd.DataFrame(columns=EVENT_SCHEMA.fieldNames(), dtype=object)
    made = pd.DataFrame(events)
    made = made.assign(device_id=scores["device_id"].iloc[0], window_duration_minutes=minutes)
    return made.reindex(columns=EVENT_SCHEMA.fieldNames())


def windows_of(scores: pd.DataFrame) -> list[Window]:
    """The windows of one device and length, oldest first, from rows of ``model_scores``."""
    ordered = first_said(scores).sort_values(
        ["window_end", "anomaly_score", "model_id"], ascending=[True, False, True], kind="stable"
    )
    return [_window(rows) for _, rows in ordered.groupby("window_end", sort=True)]


def first_said(scores: pd.DataFrame) -> pd.DataFrame:
    """Of the rows of one device and length: each window's first by family; of versions of one run, the lowest.

    Whatever scores a window again (a release, a rollback, a backfill) adds rows and changes no alert: nobody is called
    for what is past.
    """
    if len(scores) < 2 or scores["model_version"].nunique() < 2:
        return scores
    ranked = scores.assign(
        _family=scores["model_id"].map(family),
        _version=[tuple(int(part) for part in version.split(".")) for version in scores["model_version"]],
    ).sort_values(["scored_at", "_version"], kind="stable")
    group = ranked.groupby(["window_end", "_family"], sort=False)
    first = group[["scored_at", "_version"]].transform("first")
    kept = (ranked["scored_at"] == first["scored_at"]) & (ranked["_version"] == first["_version"])
    return ranked[kept].drop(columns=["_family", "_version"])


def family(model_id: str) -> str:
    """What a model id names without its version."""
    return model_id.rsplit("_v", 1)[0]


def _window(rows: pd.DataFrame) -> Window:
    """The strongest model speaks for the window; cohort clusters do not count as a family."""
    top = rows.iloc[0]
    families = {family(model_id) for model_id in rows.loc[rows["anomaly_flag"], "model_id"]} - {"dbscan_cohort"}
    contributors = top["top_contributors"]
    return Window(
        end=top["window_end"],
        score=float(top["anomaly_score"]),
        flagged=bool(rows["anomaly_flag"].any()),
        model_id=str(top["model_id"]),
        contributors=None if contributors is None else tuple(contributors),
        families=len(families),
    )
