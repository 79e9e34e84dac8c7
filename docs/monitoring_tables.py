"""Tables of metrics, thresholds, runbooks and triggers, as header and rows; ``docs/tables.py`` writes them."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

MONITORING = Path(__file__).resolve().parent.parent / "transforms-python" / "src" / "fleet_health" / "monitoring"
Rows = tuple[tuple[str, ...], list[tuple[str, ...]]]


@functools.cache
def _document(name: str) -> Mapping[str, list[dict[str, Any]]]:
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    found: Mapping[str, list[dict[str, Any]]] = yaml.load((MONITORING / name).read_text(encoding="utf-8"), loader)  # noqa: S506 - both are safe loaders
    return found


def _read(name: str, key: str) -> list[dict[str, Any]]:
    return _document(name)[key]


def metrics() -> Rows:
    """Every metric; one without a measure of its own says how it is seen instead."""
    rows = [
        (
            m["id"],
            m["family"],
            f"`{m['dataset']}`",
            m["name"] if "measure" in m else f"{m['name']} ({m['watched_by']}: {m['how']})",
            m["owner"],
            f"{m['rotation']}, {m['channel']}",
            m["escalation"],
            _link(m["runbook"]),
        )
        for m in _read("metrics.yaml", "metrics")
    ]
    return ("metric", "family", "dataset", "measures", "owner", "called", "escalation", "runbook"), rows


def thresholds() -> Rows:
    """Each threshold, against what and how long, with its reason."""
    rows = [
        (m["id"], t["severity"], _when(t, m.get("against")), t["reason"])
        for m in _read("metrics.yaml", "metrics")
        for t in m["thresholds"]
    ]
    return ("metric", "severity", "when", "because"), rows


def runbooks() -> Rows:
    rows = [(_link(one["id"]), one["title"], one["when"], one["owner"]) for one in _read("runbooks.yaml", "runbooks")]
    return ("runbook", "about", "when", "owner"), rows


def triggers() -> Rows:
    rows = []
    for one in _read("retraining.yaml", "triggers"):
        conditions = [f"`{c['measure']}` {_when(c, c.get('against'))}" for c in one.get("any_of", ())]
        held = f", unless the triage says {' or '.join(one['unless'])}" if "unless" in one else ""
        rows.append(
            (one["id"], one["name"], " or ".join(conditions) + held or "people say so", one["action"], one["reason"])
        )
    return ("trigger", "about", "when", "action", "because"), rows


def _link(runbook: str) -> str:
    return f"[{runbook}](runbooks/{runbook}.md)"


def _when(threshold: Mapping[str, Any], against: Mapping[str, Any] | None) -> str:
    value = threshold["value"]
    limit = ", ".join(f"{v:g} ({k})" for k, v in value.items()) if isinstance(value, dict) else f"{value:g}"
    told = f"{threshold['op']} {limit}"
    if threshold.get("of") == "change" and against is not None:
        before = "what is expected" if against["what"] == "given" else f"the mean of {against['periods']} before"
        told = f"{against['as']} to {before} {told}"
    if threshold.get("parts"):
        told += ", each part" if threshold["parts"] == "each" else ", the whole"
    return told + (f", {threshold['for']} in a row" if threshold.get("for", 1) > 1 else "")
