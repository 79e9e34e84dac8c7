"""How findings become one bounded sentence."""

from __future__ import annotations

from collections.abc import Sequence

_SHOWN = 4


def some(items: Sequence[str]) -> str:
    """The first few, and how many more there are."""
    rest = f"; and {len(items) - _SHOWN} more" if len(items) > _SHOWN else ""
    return "; ".join(items[:_SHOWN]) + rest
