"""What a check says: a verdict, the numbers behind it and, on failure, some of the rows that caused it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mirror.checks.encoding import plain

PASS, FAIL, ERROR = "PASS", "FAIL", "ERROR"


@dataclass(frozen=True)
class Part:
    """The verdict on one node of an expectation.

    Attributes:
        expectation: the node, as code.
        outcome: ``PASS``, ``FAIL`` or ``ERROR``.
        detail: one sentence with the numbers.
        measured: metric -> value, JSON-plain.
        reason: why there is no verdict (``missing_column``, ...); empty unless the outcome is ``ERROR``.
        parts: the verdicts of the nodes below.
        threshold: what the value had to be, e.g. ``< 0.1``; empty for composites and for what the schema decides.
    """

    expectation: str
    outcome: str
    detail: str
    measured: Mapping[str, object] = field(default_factory=dict)
    reason: str = ""
    parts: tuple[Part, ...] = ()
    threshold: str = ""

    def all_measured(self) -> dict[str, object]:
        """The values of this node and of all below it."""
        return {k: v for part in self.parts for k, v in part.all_measured().items()} | dict(self.measured)

    def to_json(self) -> dict[str, Any]:
        """A JSON-plain document; the inverse of :meth:`from_json`."""
        return {
            "expectation": self.expectation,
            "outcome": self.outcome,
            "detail": self.detail,
            "measured": {k: plain(v) for k, v in self.measured.items()},
            "reason": self.reason,
            "parts": [part.to_json() for part in self.parts],
            "threshold": self.threshold,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> Part:
        """The inverse of :meth:`to_json`."""
        return cls(
            expectation=document["expectation"],
            outcome=document["outcome"],
            detail=document["detail"],
            measured=dict(document["measured"]),
            reason=document.get("reason", ""),
            parts=tuple(cls.from_json(part) for part in document.get("parts", ())),
            threshold=document.get("threshold", ""),
        )


@dataclass(frozen=True)
class CheckResult:
    """The verdict of one check at one time.

    Attributes:
        name: the check's identity.
        on_error: ``FAIL`` or ``WARN``, as declared.
        outcome: ``PASS``, ``FAIL`` (the data break the expectation) or ``ERROR`` (it could not be computed).
        expectation: the expectation, as code.
        detail: one sentence with the numbers behind the verdict.
        measured: metric -> value, JSON-plain: counts, properties, the timestamps used.
        offending: up to 20 rows, groups or values that break it; JSON-plain, sensitive columns masked.
        reason: why there is no verdict; empty unless the outcome is ``ERROR``.
        parts: the verdicts of a composite's members.
        description: the check's own description.
        threshold: what the value had to be; those of a composite stand in its ``parts``.
    """

    name: str
    on_error: str
    outcome: str
    expectation: str
    detail: str
    measured: Mapping[str, object]
    offending: tuple[Mapping[str, object], ...] = ()
    reason: str = ""
    parts: tuple[Part, ...] = ()
    description: str | None = None
    threshold: str = ""

    @property
    def blocks(self) -> bool:
        """Whether the transaction may not be committed: anything but ``PASS`` under ``on_error='FAIL'``."""
        return self.on_error == "FAIL" and self.outcome != PASS

    def to_json(self) -> dict[str, Any]:
        """A JSON-plain document; the inverse of :meth:`from_json`."""
        return {
            "name": self.name,
            "on_error": self.on_error,
            "outcome": self.outcome,
            "expectation": self.expectation,
            "detail": self.detail,
            "measured": {k: plain(v) for k, v in self.measured.items()},
            "offending": [{k: plain(v) for k, v in row.items()} for row in self.offending],
            "reason": self.reason,
            "parts": [part.to_json() for part in self.parts],
            "description": self.description,
            "threshold": self.threshold,
        }

    @classmethod
    def from_json(cls, document: Mapping[str, Any]) -> CheckResult:
        """The inverse of :meth:`to_json`."""
        return cls(
            name=document["name"],
            on_error=document["on_error"],
            outcome=document["outcome"],
            expectation=document["expectation"],
            detail=document["detail"],
            measured=dict(document["measured"]),
            offending=tuple(dict(row) for row in document["offending"]),
            reason=document.get("reason", ""),
            parts=tuple(Part.from_json(part) for part in document.get("parts", ())),
            description=document.get("description"),
            threshold=document.get("threshold", ""),
        )
