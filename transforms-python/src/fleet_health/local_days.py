"""Days as the people at a device count them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fleet_health.profiles.model import Profile


def zone_of(device_id: str, profile: Profile) -> str:
    """The zone declared for a device, else the one of the whole fleet, else UTC."""
    fleet = profile.zone or "UTC"
    return next((d.timezone for d in profile.registry.devices if d.device_id == device_id), fleet)


def local_day(day: date, zone: str) -> tuple[datetime, datetime]:
    """First instant of a local day and of the next one, in UTC."""
    midnight = [datetime.combine(day + timedelta(days=n), time(), tzinfo=ZoneInfo(zone)) for n in (0, 1)]
    return midnight[0].astimezone(UTC), midnight[1].astimezone(UTC)
