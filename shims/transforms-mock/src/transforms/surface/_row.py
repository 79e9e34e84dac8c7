"""One line of the fidelity table."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

DOCUMENTATION = "https://www.palantir.com/docs/foundry/"
LIBRARY = "api-reference/transforms-python-library/"


class Status(Enum):
    """How a symbol behaves here, in the words of the page."""

    SAME = "same"
    """As Foundry documents it."""
    RECORDED = "recorded"
    """Taken, kept on the transform and shown; it has no effect on results in Foundry either."""
    DIFFERS = "differs"
    """Works, with the difference that the note states."""
    REFUSED = "refused"
    """Imports; using it raises, for the reason in the note."""


@dataclass(frozen=True)
class Row:
    """What the page says about one symbol.

    Attributes:
        symbol: dotted, as imported.
        status: see :class:`Status`.
        source: page of Foundry's documentation below :data:`DOCUMENTATION`, or ``open source`` with a name.
        test: ``file::function`` that would fail if the status were wrong.
        note: what differs, what is recorded, or why it is refused.
    """

    symbol: str
    status: Status
    source: str
    test: str
    note: str = ""


def rows(
    module: str, names: str, source: str, test: str, status: Status = Status.SAME, note: str = ""
) -> tuple[Row, ...]:
    """Rows that share everything but the name; ``test`` is relative to ``tests/shim``."""
    prefix = "tests/" if test.startswith(("checks/", "builds/", "models/", "datasets/")) else "tests/shim/"
    return tuple(Row(f"{module}.{name}", status, source, prefix + test, note) for name in names.split())
