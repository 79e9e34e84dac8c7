"""Batch and streaming alerts of one device together: what scores answer, and one first detection for both."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pandas as pd
from pyspark.sql import types as T

from fleet_health.alerting.answers import Anomaly, Answer, answer_of, first_detections
from fleet_health.alerting.events import STAND_IN, Event, events_of, family, first_said, windows_of
from fleet_health.alerting.severity import acknowledge_minutes
from fleet_health.contracts.alerts import EVENT_SCHEMA
from fleet_health.ids import natural_key_id_of
from fleet_health.profiles.model import Profile
from fleet_health.profiles.serving import Streaming

TOLD = ("alert_id", "title", "description", "escalation_level", "alert_created_at")
"""What streaming rows bring along; null where it follows from the event as for any other."""

PATHS_SCHEMA = T.StructType(
    [
        *(field for field in EVENT_SCHEMA if field.name != "window_duration_minutes"),
        *(T.StructField(name, T.TimestampType() if name.endswith("_at") else T.StringType()) for name in TOLD),
    ]
)


def both_paths(scores: pd.DataFrame, streaming: pd.DataFrame, profile: Profile) -> pd.DataFrame:
    """The events of one device as rows of ``PATHS_SCHEMA``.

    Args:
        scores: rows of ``model_scores`` of one device, every length and released model, the fallback included.
        streaming: rows of ``streaming_alerts`` of the same device.
        profile: severities, deduplication, and when a score answers a streaming alert.
    """
    rules = profile.streaming
    rows: list[dict[str, Any]] = []
    anomalies: list[Anomaly] = []
    batch: list[tuple[object, Event]] = []
    for length, of_length in scores.groupby("window_duration_minutes", sort=True):
        step = timedelta(minutes=int(str(length)))
        found = events_of(windows_of(of_length), int(str(length)), profile.alerting)
        batch += [((length, event.first_detected_at), event) for event in found]
        anomalies += _batch_anomalies(found, step, profile.alerting.resolve_after_windows, length)
    answers: dict[int, Answer] = {}
    asked = _model_scores(scores, profile)
    ordered = streaming.sort_values(["window_end", "alert_id"], kind="stable")
    told: list[dict[str, Any]] = [{str(name): value for name, value in r.items()} for r in ordered.to_dict("records")]
    for index, alert in enumerate(told):
        if rules is not None and not alert["suppressed"]:
            answer = answer_of(alert["window_end"], asked, rules)
            end = pd.Timestamp.max if answer is None else answer.window_end
            if answer is not None:
                answers[index] = answer
            at = alert["window_end"]
            anomalies.append(Anomaly(_cause(alert), at, at, end, streaming=True))
    first = first_detections(anomalies)
    for key, event in batch:
        rows.append({**vars(event), "first_detected_at": first.get(key, event.first_detected_at)})
    for index, alert in enumerate(told):
        since: datetime = first.get(_cause(alert), alert["first_detected_at"])
        rows.append({**alert, "first_detected_at": since})
        if rules is not None and index in answers:
            rows.append(_answer_row(alert, answers[index], since, rules, profile))
    names = PATHS_SCHEMA.fieldNames()
    if not rows:
        return pd.DataFrame(columns=names, dtype=object)
    device = str((scores if len(scores) else streaming)["device_id"].iloc[0])
    made = pd.DataFrame(rows).reindex(columns=names).assign(device_id=device)
    times = [field.name for field in PATHS_SCHEMA if isinstance(field.dataType, T.TimestampType)]
    # a column of nothing but nulls has no time type of its own
    return made.astype(dict.fromkeys(TOLD[:-1], object)).assign(**{name: pd.to_datetime(made[name]) for name in times})


def _cause(alert: dict[str, Any]) -> object:
    """Rule and time of the alert that opened the silence in which this one lies."""
    return alert["top_contributors"][0], alert["first_detected_at"]


def _batch_anomalies(events: list[Event], step: timedelta, windows: int, length: object) -> list[Anomaly]:
    by_first: dict[datetime, list[Event]] = {}
    for event in events:
        by_first.setdefault(event.first_detected_at, []).append(event)
    return [
        Anomaly(
            key=(length, first),
            known=first,
            begin=first - step,
            end=found[-1].window_end + (timedelta() if found[-1].alert_type == "ANOMALY_RESOLVED" else step * windows),
            streaming=False,
        )
        for first, found in by_first.items()
    ]


def _model_scores(scores: pd.DataFrame, profile: Profile) -> list[tuple[datetime, float]]:
    """Highest score of each window of the model's length, oldest first; rules that stand in answer nothing."""
    rows = first_said(scores[scores["window_duration_minutes"] == profile.model.window_duration_minutes])
    rows = rows[rows["model_id"].map(family) != STAND_IN] if len(rows) else rows
    return list(rows.groupby("window_end")["anomaly_score"].max().items())  # type: ignore[arg-type]


def _answer_row(
    alert: dict[str, Any], answer: Answer, since: datetime, rules: Streaming, profile: Profile
) -> dict[str, Any]:
    over = answer.verdict == "softened"
    kind = "ANOMALY_RESOLVED" if over else "ANOMALY_SUSTAINED"
    severity = "LOW" if over else rules.severity
    cause, device = alert["top_contributors"][0], alert["device_id"]
    says = {
        "confirmed": "and confirms it",
        "softened": "so it was transient",
        "undecided": f"the last of {rules.undecided_windows} that neither confirm nor clear it: a person decides",
    }[answer.verdict]
    minutes = acknowledge_minutes(severity, profile.alerting)
    end = pd.Timestamp(answer.window_end)
    micros = (end.tz_localize(UTC) if end.tzinfo is None else end).value // 1000
    return {
        "window_end": answer.window_end,
        "model_id": rules.model_id,
        "alert_type": kind,
        "severity": severity,
        "anomaly_score": answer.score,
        "top_contributors": alert["top_contributors"],
        "first_detected_at": since,
        "suppressed": False,
        "alert_id": natural_key_id_of("alert", device, rules.model_id, micros, kind, cause, since.isoformat()),
        "title": f"{severity}: {cause} {kind.removeprefix('ANOMALY_').lower()} on {device}",
        "description": f"Score {answer.score:.2f} in the window ending {end:%Y-%m-%d %H:%M} UTC, {says}."
        f" Acknowledge within {minutes} minutes.",
        "escalation_level": "L2" if answer.verdict == "undecided" else "L1",
        "alert_created_at": answer.window_end,
    }
