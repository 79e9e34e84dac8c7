"""What a gate says."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """Only ``PASS`` and ``NOT_APPLICABLE`` let a promotion through."""

    PASS = "PASS"  # noqa: S105 - a verdict, not a password
    FAIL = "FAIL"
    """The gate was computed and says no."""
    NOT_APPLICABLE = "NOT_APPLICABLE"
    """There is nothing here the gate could judge, and the summary says why."""
    ERROR = "ERROR"
    """The gate could not be computed: neither good nor bad, so it blocks."""


@dataclass(frozen=True)
class Override:
    """Somebody who may lets one gate's no pass, this once and for ever on record."""

    by: str
    reason: str

    def __str__(self) -> str:
        return f"overridden by {self.by}: {self.reason}"


@dataclass(frozen=True)
class GateResult:
    """One gate's answer, with what it was taken from and what to do about it.

    ``evidence`` holds bounded lines for people (the end of a command's output, one line per finding); its hash goes
    into the audit log. ``fix`` is empty only when the outcome lets the promotion through.
    """

    gate: str
    outcome: Outcome
    summary: str
    evidence: tuple[str, ...] = ()
    fix: str = ""
    seconds: float = 0.0
    override: Override | None = None

    @property
    def says_no(self) -> bool:
        return self.outcome in (Outcome.FAIL, Outcome.ERROR)

    @property
    def blocks(self) -> bool:
        return self.says_no and self.override is None

    @property
    def fingerprint(self) -> str:
        """SHA-256 of everything but the seconds."""
        facts = {key: value for key, value in self.to_json().items() if key != "seconds"}
        return hashlib.sha256(json.dumps(facts, sort_keys=True, ensure_ascii=True).encode()).hexdigest()

    def to_json(self) -> dict[str, object]:
        return {
            "gate": self.gate,
            "outcome": self.outcome.value,
            "summary": self.summary,
            "evidence": list(self.evidence),
            "fix": self.fix,
            "seconds": round(self.seconds, 3),
            "override": None if self.override is None else vars(self.override),
        }

    @classmethod
    def from_json(cls, document: Mapping[str, object]) -> GateResult:
        evidence = document["evidence"]
        seconds = document["seconds"]
        if not isinstance(evidence, list) or not isinstance(seconds, int | float):
            raise TypeError(f"not a gate result: {document!r}")
        return cls(
            gate=str(document["gate"]),
            outcome=Outcome(str(document["outcome"])),
            summary=str(document["summary"]),
            evidence=tuple(str(line) for line in evidence),
            fix=str(document["fix"]),
            seconds=float(seconds),
            override=Override(**override) if isinstance(override := document.get("override"), dict) else None,
        )
