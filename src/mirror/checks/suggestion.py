"""One proposed check."""

from __future__ import annotations

from dataclasses import dataclass

from transforms import expectations as E


@dataclass(frozen=True)
class Suggestion:
    """One proposed check.

    Attributes:
        name: a name for the check.
        expectation: the expectation; it prints as code.
        reason: what in the data speaks for it.
    """

    name: str
    expectation: E.Expectation
    reason: str

    def code(self) -> str:
        """A line to paste into ``checks=[...]``; the reason is its description, which every verdict carries."""
        return f"Check({self.expectation!r}, {self.name!r}, 'WARN', {self.reason!r}),"
