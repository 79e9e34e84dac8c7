"""What is open, quality and equipment alerts alike, in the one shape that routing and messages need."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from mirror.datasets import Workspace
from mirror.datasets.ids import stable_uuid
from mirror.health.alert_book import AlertBook, EquipmentAlert, QualityAlert
from mirror.health.alerts import folder, read_alerts
from mirror.health.reports import CheckReport, latest
from mirror.health.routing import EQUIPMENT, QUALITY, Policy, Routing

ID_LENGTH = 12
_ACKNOWLEDGED = frozenset({"ACKNOWLEDGED", "IN_PROGRESS"})
_SEVERITIES = {"CRITICAL": "HIGH", "MODERATE": "MEDIUM"}
"""Severity of a health check -> how it is routed, as Foundry hands it to paging services."""
_FRESHNESS = frozenset({"timeSinceLastUpdated", "dataFreshness"})


@dataclass(frozen=True)
class Concern:
    """One thing somebody has to look at.

    Attributes:
        id: the same for as long as it is the same metric, dataset and dimension, or the same device and model.
        subject: path of the dataset, or id of the device.
        observed: what was seen, in a line; ``why``: why that is a reason to act.
        since: data time at which it was first raised; ``None`` when the row does not say.
        acknowledged: whether its dataset says that somebody works on it.
        note: why it goes elsewhere than its row says; empty otherwise.
    """

    id: str
    kind: str
    severity: str
    subject: str
    title: str
    observed: str
    why: str
    owner: str
    rotation: str
    channel: str
    runbook: str
    step: str
    policy: Policy
    fleet: str
    dataset: str = ""
    metric: str = ""
    family: str = ""
    site: str = ""
    device: str = ""
    since: datetime | None = None
    acknowledged: bool = False
    note: str = ""

    def facts(self) -> dict[str, str]:
        """What grouping and silences go by."""
        names = ("fleet", "dataset", "metric", "family", "site", "device", "severity", "owner")
        return {name: getattr(self, name) for name in names}

    def to_json(self) -> dict[str, Any]:
        """A JSON-plain document."""
        return {
            **{name: getattr(self, name) for name in self.__dataclass_fields__ if name not in ("policy", "since")},
            "policy": self.policy.name,
            "since": None if self.since is None else self.since.isoformat(),
        }


def read_concerns(workspace: Workspace, branch: str, routing: Routing) -> tuple[Concern, ...]:
    """Everything open on a branch, health checks that fail included. Raises what ``read_alerts`` raises."""
    book = read_alerts(workspace.store, branch, routing=routing)
    failing = [report for report in latest(workspace, branch).values() if report.alarms]
    return (*of_book(book, branch, routing), *of_reports(failing, branch, routing))


def of_book(book: AlertBook, branch: str, routing: Routing) -> tuple[Concern, ...]:
    """Quality alerts first. All open alerts of one device and model are one concern, as severe as the worst of them."""
    machines = sorted(book.equipment, key=_machine)
    return (
        *(_quality(alert, branch, routing) for alert in book.quality),
        *(_equipment(next(alerts), branch, routing) for _, alerts in groupby(machines, _machine)),
    )


def of_reports(reports: Iterable[CheckReport], branch: str, routing: Routing) -> tuple[Concern, ...]:
    """Health checks that fail and are awake."""
    return tuple(_check(report, branch, routing) for report in reports)


def concern_id(alert: QualityAlert | EquipmentAlert, branch: str) -> str:
    """The id under which delivery knows an alert, its state and its acknowledgement."""
    if isinstance(alert, QualityAlert):
        return _identity(branch, QUALITY, alert.source, alert.metric_id, alert.dataset, alert.dimension)
    return _identity(branch, EQUIPMENT, *_machine(alert))


def _identity(*key: str) -> str:
    return stable_uuid("alert", *key).hex[:ID_LENGTH]


def _quality(alert: QualityAlert, branch: str, routing: Routing) -> Concern:
    fleet, name = folder(alert.source), alert.dataset.rsplit("/", 1)[-1]
    route = routing.route(QUALITY, {"fleet": fleet, "family": alert.family, "dataset": name})
    channel, note = routing.channel(QUALITY, alert.channel, route)
    about = f" {alert.dimension}" if alert.dimension else ""
    return Concern(
        id=concern_id(alert, branch),
        kind=QUALITY,
        severity=alert.severity,
        subject=alert.dataset if alert.dataset.startswith("/") else f"{fleet}/{alert.dataset}",
        title=f"{alert.metric_id} {name}{about}",
        observed=f"observed {alert.observed or 'nothing'}, limit {alert.threshold}",
        why=alert.reason,
        owner=alert.owner,
        rotation=alert.rotation,
        channel=channel,
        runbook=alert.runbook_id,
        step=alert.runbook_step,
        policy=routing.policies[alert.policy],
        fleet=fleet,
        dataset=name,
        metric=alert.metric_id,
        family=alert.family,
        since=alert.first_raised_at,
        note=note,
    )


def _machine(alert: EquipmentAlert) -> tuple[str, str, str]:
    return alert.source, alert.device_id, alert.model_id


def _equipment(alert: EquipmentAlert, branch: str, routing: Routing) -> Concern:
    fleet = folder(alert.source)
    route = routing.route(EQUIPMENT, {"fleet": fleet, "site": alert.site_id})
    channel, note = routing.channel(EQUIPMENT, alert.channel, route)
    score = "" if alert.anomaly_score is None else f"score {alert.anomaly_score:.2f}"
    causes = ", ".join(alert.top_contributors)
    return Concern(
        id=concern_id(alert, branch),
        kind=EQUIPMENT,
        severity=alert.severity,
        subject=alert.device_id,
        title=f"{alert.device_id}: {alert.title}",
        observed=", mostly ".join(part for part in (score, causes) if part) or alert.alert_type,
        why=alert.description,
        owner=alert.owner,
        rotation=alert.rotation,
        channel=channel,
        runbook=alert.runbook_id,
        step=alert.step,
        policy=routing.policies[alert.policy],
        fleet=fleet,
        dataset=alert.source.rsplit("/", 1)[-1],
        site=alert.site_id,
        device=alert.device_id,
        since=alert.created_at,
        acknowledged=alert.status in _ACKNOWLEDGED,
        note=note,
    )


def _check(report: CheckReport, branch: str, routing: Routing) -> Concern:
    severity = _SEVERITIES[report.severity.value] if report.severity is not None else "MEDIUM"
    path = report.paths[0]
    fleet, dataset = folder(path), path.rsplit("/", 1)[-1]
    family = "freshness" if report.type in _FRESHNESS else "health"
    route = routing.route(QUALITY, {"fleet": fleet, "dataset": dataset, "family": family})
    said = [str(one.get("who", "")) for one in report.config.get("subscribers", ())]
    rotations = [who for who in said if who in routing.rotations and routing.rotations[who].kind == QUALITY]
    return Concern(
        id=_identity(branch, QUALITY, "health check", report.check),
        kind=QUALITY,
        severity=severity,
        subject=path,
        title=report.check,
        observed=report.message,
        why=str(report.config.get("reason") or "a health check fails"),
        owner=str(report.config.get("owner") or route.owner),
        rotation=rotations[0] if rotations else route.rotation,
        channel=route.channel,
        runbook=str(report.config.get("runbook") or route.runbook),
        step=str(report.config.get("notes") or route.step[severity]),
        policy=routing.policy(route, severity),
        metric=report.check,
        family=family,
        since=report.created_at,
        fleet=fleet,
        dataset=dataset,
    )
