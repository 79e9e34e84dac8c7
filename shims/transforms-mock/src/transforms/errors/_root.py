"""The root of this package's errors, and the hint that most of them give."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import fields


def nearest(name: str, known: Iterable[str]) -> str:
    """``" Did you mean 'x'?"`` for the known name closest to ``name``, or an empty string."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=1, cutoff=0.6)
    if not close:
        folded = {n.replace("_", "").lower(): n for n in names}
        close = [folded[k] for k in difflib.get_close_matches(name.replace("_", "").lower(), folded, n=1, cutoff=0.6)]
    return f" Did you mean '{close[0]}'?" if close else ""


def listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names)) or "none"


class TransformsError(Exception):
    """Root of all deliberate errors of this package."""

    def __post_init__(self) -> None:
        Exception.__init__(self, *(getattr(self, f.name) for f in fields(self)))  # type: ignore[arg-type]
