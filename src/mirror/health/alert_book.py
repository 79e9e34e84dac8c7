"""Open alerts as values: two kinds that never mix, each with who is told and what they do first."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from mirror.health.routing import SEVERITIES


@dataclass(frozen=True)
class QualityAlert:
    """A monitored figure outside its limit. ``times`` counts how often it was raised since ``first_raised_at``.

    ``dimension`` is the sensor, feature or window length it is about, empty when it is about all.
    """

    source: str
    metric_id: str
    family: str
    dataset: str
    dimension: str
    severity: str
    observed: str
    threshold: str
    reason: str
    owner: str
    rotation: str
    channel: str
    runbook_id: str
    runbook_step: str
    acknowledge: str
    escalation: str
    policy: str
    raised_at: datetime | None
    first_raised_at: datetime | None
    times: int


@dataclass(frozen=True)
class EquipmentAlert:
    """A machine that needs a person. ``acknowledge_by`` is the deadline written with the alert."""

    source: str
    alert_id: str
    device_id: str
    site_id: str
    alert_type: str
    severity: str
    title: str
    description: str
    model_id: str
    anomaly_score: float | None
    top_contributors: tuple[str, ...]
    status: str
    created_at: datetime | None
    acknowledge_by: datetime | None
    acknowledge: str
    escalation: str
    escalation_level: str
    owner: str
    rotation: str
    channel: str
    runbook_id: str
    step: str
    policy: str


@dataclass(frozen=True)
class AlertBook:
    """Everything open on a branch; both kinds ordered by severity, then newest first."""

    quality: tuple[QualityAlert, ...] = ()
    equipment: tuple[EquipmentAlert, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Counts per severity and the alerts, the two kinds apart."""
        return {
            "quality": {"open": counts(self.quality), "alerts": [asdict(alert) for alert in self.quality]},
            "equipment": {"open": counts(self.equipment), "alerts": [asdict(alert) for alert in self.equipment]},
        }


def counts(alerts: Iterable[QualityAlert | EquipmentAlert]) -> dict[str, int]:
    """Alerts per severity, every severity named."""
    found = dict.fromkeys(SEVERITIES, 0)
    for alert in alerts:
        found[alert.severity] = found.get(alert.severity, 0) + 1
    return found
