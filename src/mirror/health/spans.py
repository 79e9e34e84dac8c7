"""Spans of time as people read them."""

from __future__ import annotations


def span(seconds: float) -> str:
    """In the largest unit that fits, to three digits: ``45 s``, ``12.5 min``, ``3.5 h``, ``9 d``."""
    for unit, size in (("d", 86400.0), ("h", 3600.0), ("min", 60.0)):
        if abs(seconds) >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds:.3g} s"
