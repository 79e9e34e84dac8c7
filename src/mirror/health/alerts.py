"""Open alerts of a branch, of two kinds that never mix, each with who is told and what they do first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from mirror.datasets import Dataset, DatasetStore, View
from mirror.health.alert_book import AlertBook, EquipmentAlert, QualityAlert
from mirror.health.errors import AlertColumnsError, MisroutedAlertError
from mirror.health.routing import EQUIPMENT, QUALITY, SEVERITIES, Policy, Route, Routing, rank
from mirror.health.routing_file import shipped_routing
from mirror.health.rows import read_columns, readable

QUALITY_DATASET = "quality_alerts"
EQUIPMENT_DATASET = "device_alerts"
EVERYTHING = "ALL"
"""The dimension of a figure that is not split."""
LEVELS = {"L1": "site technician", "L2": "regional engineer", "L3": "vendor"}
"""Who has an equipment alert, by the contract's words."""
CLOSED = frozenset({"RESOLVED", "FALSE_POSITIVE"})

QUALITY_NEEDS = frozenset(
    {"metric_id", "dataset", "severity", "reason", "owner", "rotation", "channel", "runbook_id", "runbook_step"}
)
EQUIPMENT_NEEDS = frozenset({"alert_id", "device_id", "severity", "title", "status", "alert_created_at"})
"""Columns without which an alert cannot be routed or closed."""

NAMED = ("reason", "owner", "rotation", "channel", "runbook_id", "runbook_step", "escalation")
"""Where the dataset has these columns, every quality alert must fill them."""


def read_alerts(store: DatasetStore, branch: str, *, under: str = "", routing: Routing | None = None) -> AlertBook:
    """The open alerts of every dataset named ``quality_alerts`` or ``device_alerts`` on ``branch`` below ``under``.

    A dataset without that branch or without a transaction has no alerts. ``routing`` (the shipped one unless given)
    fills in what a row does not say. Raises AlertColumnsError, MisroutedAlertError.
    """
    ways = routing or shipped_routing()
    quality: list[QualityAlert] = []
    equipment: list[EquipmentAlert] = []
    for dataset in store.datasets():
        if dataset.name not in (QUALITY_DATASET, EQUIPMENT_DATASET) or not dataset.path.startswith(under):
            continue
        view = _view(store, dataset, branch)
        if view is None or not readable(view):
            continue
        if dataset.name == QUALITY_DATASET:
            quality += open_quality(dataset.path, _rows(view, QUALITY_NEEDS), ways)
        else:
            equipment += open_equipment(dataset.path, _rows(view, EQUIPMENT_NEEDS), ways)
    return AlertBook(
        tuple(sorted(quality, key=lambda a: (*_order(a.severity, a.raised_at), a.metric_id, a.dataset))),
        most_urgent_first(equipment),
    )


def open_quality(source: str, rows: Iterable[Mapping[str, Any]], routing: Routing | None = None) -> list[QualityAlert]:
    """One alert per metric, dataset and dimension: its newest row, unless that one says it is resolved.

    Raises MisroutedAlertError for an alert without reason, owner, rotation, channel, runbook or escalation, and for a
    metric that two owners answer for.
    """
    routing = routing or shipped_routing()
    groups: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for row in rows:
        key = (str(row["metric_id"]), str(row["dataset"]), _text(row.get("dimension")))
        groups.setdefault(key, []).append(row)
    found = []
    owners: dict[str, str] = {}
    for group in groups.values():
        group.sort(key=lambda row: _moment(row.get("raised_at")))
        newest = group[-1]
        if newest.get("resolved_at") is None and newest.get("status") not in CLOSED:
            _require_routing(source, newest, owners)
            found.append(_quality(source, newest, group[0].get("raised_at"), len(group), routing))
    return found


def _require_routing(source: str, row: Mapping[str, Any], owners: dict[str, str]) -> None:
    metric, owner = str(row["metric_id"]), _text(row["owner"]).strip()
    blank = tuple(name for name in NAMED if name in row and not _text(row[name]).strip())
    if blank:
        raise MisroutedAlertError(source, metric, f"has no {', '.join(blank)}")
    if owners.setdefault(metric, owner) != owner:
        raise MisroutedAlertError(source, metric, f"has two owners, {owners[metric]} and {owner}")


def open_equipment(
    source: str, rows: Iterable[Mapping[str, Any]], routing: Routing | None = None
) -> list[EquipmentAlert]:
    """Alerts that nobody closed, that deduplication did not silence, and that no later ANOMALY_RESOLVED ended."""
    rows = list(rows)
    routing = routing or shipped_routing()
    ended: dict[tuple[Any, Any], float] = {}
    for row in rows:
        if row.get("alert_type") == "ANOMALY_RESOLVED":
            key = (row["device_id"], row.get("model_id"))
            ended[key] = max(ended.get(key, float("-inf")), _happened(row))
    return [
        _equipment(source, row, routing)
        for row in rows
        if row["status"] not in CLOSED
        and not row.get("suppressed")
        and _happened(row) > ended.get((row["device_id"], row.get("model_id")), float("-inf"))
    ]


def raised_equipment(source: str, rows: Iterable[Mapping[str, Any]]) -> list[EquipmentAlert]:
    """Every alert that was ever sent: suppressed rows and the notices that an anomaly ended are none."""
    return [
        _equipment(source, row, shipped_routing())
        for row in rows
        if not row.get("suppressed") and row.get("alert_type") != "ANOMALY_RESOLVED"
    ]


def most_urgent_first(alerts: Iterable[EquipmentAlert]) -> tuple[EquipmentAlert, ...]:
    """By severity, then newest first."""
    return tuple(sorted(alerts, key=lambda a: (*_order(a.severity, a.created_at), a.device_id, a.alert_id)))


def _quality(source: str, row: Mapping[str, Any], first: datetime | None, times: int, routing: Routing) -> QualityAlert:
    severity, dataset = str(row["severity"]), _text(row["dataset"])
    facts = {"fleet": folder(source), "family": _text(row.get("family")), "dataset": dataset.rsplit("/", 1)[-1]}
    policy, said = _policy(routing, routing.route(QUALITY, facts), severity, _text(row.get("escalation")))
    return QualityAlert(
        source=source,
        metric_id=_text(row["metric_id"]),
        family=_text(row.get("family")),
        dataset=dataset,
        dimension="" if row.get("dimension") == EVERYTHING else _text(row.get("dimension")),
        severity=severity,
        observed=_text(row.get("observed")),
        threshold=_text(row.get("threshold")),
        reason=_text(row.get("reason")),
        owner=_text(row["owner"]),
        rotation=_text(row["rotation"]),
        channel=_text(row["channel"]),
        runbook_id=_text(row["runbook_id"]),
        runbook_step=_text(row["runbook_step"]),
        acknowledge=_text(row.get("acknowledge")) or policy.acknowledge,
        escalation=said,
        policy=policy.name,
        raised_at=row.get("raised_at"),
        first_raised_at=first,
        times=times,
    )


def _policy(routing: Routing, route: Route, severity: str, own: str) -> tuple[Policy, str]:
    """The policy, and its steps in words: the alert's own words where it has some that name no policy."""
    policy = routing.policy(route, severity, own)
    if own and own not in routing.policies:
        return policy, own
    return policy, f"{policy.words} ({policy.name})"


def _equipment(source: str, row: Mapping[str, Any], routing: Routing) -> EquipmentAlert:
    severity = str(row["severity"])
    route = routing.route(EQUIPMENT, {"fleet": folder(source), "site": _text(row.get("site_id"))})
    policy, said = _policy(routing, route, severity, "")
    level = _text(row.get("escalation_level")) or "L1"
    return EquipmentAlert(
        source=source,
        alert_id=_text(row["alert_id"]),
        device_id=_text(row["device_id"]),
        site_id=_text(row.get("site_id")),
        alert_type=_text(row.get("alert_type")),
        severity=severity,
        title=_text(row["title"]),
        description=_text(row.get("description")),
        model_id=_text(row.get("model_id")),
        anomaly_score=row.get("anomaly_score"),
        top_contributors=tuple(str(name) for name in row.get("top_contributors") or ()),
        status=_text(row["status"]),
        created_at=row["alert_created_at"],
        acknowledge_by=row.get("sla_deadline"),
        acknowledge=policy.acknowledge,
        escalation=said,
        escalation_level=f"{level} {LEVELS.get(level, '')}".strip(),
        owner=_text(row.get("owner")) or route.owner,
        rotation=_text(row.get("rotation")) or route.rotation,
        channel=_text(row.get("channel")) or route.channel,
        runbook_id=route.runbook,
        step=_text(row.get("runbook_step")) or route.step.get(severity, route.step[SEVERITIES[0]]),
        policy=policy.name,
    )


def folder(path: str) -> str:
    """The fleet that a dataset belongs to."""
    return path.rsplit("/", 1)[0]


def _rows(view: View, needed: frozenset[str]) -> list[dict[str, Any]]:
    known = view.schema.columns if view.schema is not None else ()
    missing = tuple(sorted(needed - set(known)))
    if missing:
        raise AlertColumnsError(view.dataset.path, missing, tuple(known))
    rows: list[dict[str, Any]] = read_columns(view).to_pylist()
    return rows


def _view(store: DatasetStore, dataset: Dataset, branch: str) -> View | None:
    return None if store.resolve_branch(dataset, branch) is None else store.view(dataset, branch)


def _order(severity: str, moment: datetime | None) -> tuple[int, float]:
    return -rank(severity), -_moment(moment)


def _happened(row: Mapping[str, Any]) -> float:
    """When the machine behaved so: rows of one run share their creation time, only the window tells their order."""
    return _moment(row.get("window_end") or row["alert_created_at"])


def _moment(value: datetime | None) -> float:
    return value.timestamp() if isinstance(value, datetime) else float("-inf")


def _text(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:g}" if isinstance(value, float) else str(value)
