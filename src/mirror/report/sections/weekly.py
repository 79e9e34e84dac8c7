"""Equipment alerts that were sent, week by week."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from mirror.health import SEVERITIES
from mirror.health.alerts import EQUIPMENT_NEEDS, raised_equipment
from mirror.report.errors import NotThereError
from mirror.report.fleet_data import FleetData, utc
from mirror.report.parts import Stack

AUDIENCE, ORDER = "management", 20
TITLE = "Alerts per week"
LEAD = "By the week (from its Monday) in which they were raised, without repeats and endings. Quiet weeks take no room."

WEEKS = 26


def read(fleet: FleetData) -> Iterator[Stack]:
    """The last weeks with alerts; quiet ones take no room, because campaigns may lie months apart."""
    wanted = ("alert_type", "suppressed", "model_id", "window_end")
    table = fleet.table("device_alerts", tuple(sorted(EQUIPMENT_NEEDS)), wanted)
    counts: dict[tuple[str, str], int] = {}
    for alert in raised_equipment(fleet.prefix, table.to_pylist()):
        if alert.created_at is not None:
            day = utc(alert.created_at).date()
            key = ((day - timedelta(days=day.weekday())).isoformat(), alert.severity)
            counts[key] = counts.get(key, 0) + 1
    if not counts:
        raise NotThereError("No equipment alert was ever raised.")
    weeks = sorted({week for week, _ in counts})[-WEEKS:]
    yield Stack(
        caption="Equipment alerts per week and severity",
        periods=tuple(weeks),
        parts=tuple(
            (severity, tuple(counts.get((week, severity), 0) for week in weeks)) for severity in reversed(SEVERITIES)
        ),
    )
