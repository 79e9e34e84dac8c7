"""The only door to the wall clock. Logic receives a :class:`Clock`; tests hand in a fixed one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

Clock = Callable[[], datetime]


def system_clock() -> datetime:
    """Now, in UTC, with microseconds."""
    return datetime.now(UTC)
