"""The root of every error this platform raises on purpose, and the exit codes of the command line.

    MirrorError                 facts as fields, one text rendered from them, an exit code
    |-- UsageError              wrong use or configuration: nothing was started, nothing changed (exit 2)
    |-- VerdictError            a check or a gate said no (exit 1)
    `-- InternalError           a promise of ours was broken (exit 3)

Each room keeps its own errors on one page (``mirror/<room>/errors.py``) and derives them from these.
Errors cross process borders (Spark workers), so they keep their facts in ``args`` and render late.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from enum import IntEnum


class ExitCode(IntEnum):
    """How a ``mirror`` command ends."""

    DONE = 0
    """Everything asked for is done."""
    REFUSED = 1
    """A check or a gate said no; what it protects is unchanged."""
    USAGE = 2
    """Wrong use, configuration or input; the catalog is as it was."""
    INTERNAL = 3
    """A fault of ours; please report it with the traceback."""


class MirrorError(Exception):
    """Root of all deliberate errors. Subclasses render ``args`` in ``__str__`` and name the way out."""

    exit_code: ExitCode = ExitCode.INTERNAL


class UsageError(MirrorError):
    """The request itself cannot be met: wrong name, file, configuration or state. Nothing was changed."""

    exit_code = ExitCode.USAGE


class VerdictError(MirrorError):
    """The request was understood and carried out up to a check or gate that refused it."""

    exit_code = ExitCode.REFUSED


class InternalError(MirrorError):
    """A promise between our own rooms was broken."""

    exit_code = ExitCode.INTERNAL


def nearest(name: str, known: Iterable[str]) -> str:
    """``" Did you mean 'x'?"`` for the known name closest to ``name``, or an empty string.

    Names that differ only by their folder count as close: ``clean`` finds ``/Fleet/clean``.
    """
    names = sorted(known)
    by_leaf: dict[str, str] = {}
    for candidate in names:
        by_leaf.setdefault(candidate.rsplit("/", 1)[-1], candidate)
    close = difflib.get_close_matches(name, names, n=1) or [
        by_leaf[leaf] for leaf in difflib.get_close_matches(name.rsplit("/", 1)[-1], by_leaf, n=1)
    ]
    return f" Did you mean {close[0]!r}?" if close else ""
