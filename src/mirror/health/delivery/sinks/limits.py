"""How long a sink may take."""

from __future__ import annotations

from collections.abc import Mapping

from mirror.health.delivery.sinks.sink import LONGEST_SECONDS, TIMEOUT_SECONDS


def seconds_of(settings: Mapping[str, object]) -> float:
    """``timeout_seconds`` of a sink's settings. Raises ValueError."""
    seconds = settings.get("timeout_seconds", TIMEOUT_SECONDS)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 < seconds <= LONGEST_SECONDS:
        raise ValueError(f"timeout_seconds must lie between 0 and {LONGEST_SECONDS:g}")
    return float(seconds)
