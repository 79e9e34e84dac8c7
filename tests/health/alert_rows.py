"""Alerts as delivery sees them, made without a workspace."""

from __future__ import annotations

from mirror.health.delivery.concerns import Concern
from mirror.health.routing_file import shipped_routing

FLEET = "/Fleet/a"


def quality(dataset: str = "clean", family: str = "volume", severity: str = "HIGH", **changed) -> Concern:
    """A quality alert of the metric ``family`` on ``dataset``."""
    routing = shipped_routing()
    route = routing.route("quality", {})
    values = {
        "id": f"{family}-{dataset}",
        "kind": "quality",
        "severity": severity,
        "subject": f"{FLEET}/{dataset}",
        "title": f"{family} of {dataset}",
        "observed": "observed 0.4, limit 0.5",
        "why": "half is missing",
        "owner": "Data Engineer",
        "rotation": "On-call Data Engineer",
        "channel": "#data-platform-alerts",
        "runbook": "RB-13",
        "step": "look upstream",
        "policy": routing.policy(route, severity),
        "fleet": FLEET,
        "dataset": dataset,
        "family": family,
    }
    return Concern(**values | changed)


def equipment(device: str = "unit-1", severity: str = "HIGH", **changed) -> Concern:
    """An equipment alert on a device."""
    routing = shipped_routing()
    route = routing.route("equipment", {})
    values = {
        "id": f"eq-{device}",
        "kind": "equipment",
        "severity": severity,
        "subject": device,
        "title": f"{device}: anomaly",
        "observed": "score 0.91",
        "why": "fan speed",
        "owner": route.owner,
        "rotation": route.rotation,
        "channel": route.channel,
        "runbook": route.runbook,
        "step": route.step[severity],
        "policy": routing.policy(route, severity),
        "fleet": FLEET,
        "dataset": "device_alerts",
        "device": device,
        "site": "SITE",
    }
    return Concern(**values | changed)
