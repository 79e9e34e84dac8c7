"""What one evaluation of a health check says: one of six statuses, a sentence, and the number behind it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Status(StrEnum):
    """The six statuses of a check report."""

    PASSED = "PASSED"
    FAILED = "FAILED"
    WARNING = "WARNING"
    """A data expectation that only warns did not hold."""
    ERROR = "ERROR"
    """The evaluation itself broke; says nothing about the data."""
    NOT_APPLICABLE = "NOT_APPLICABLE"
    """There is nothing to judge yet: no commit, no ended job, too few data points."""
    NOT_COMPUTABLE = "NOT_COMPUTABLE"
    """What the check asks for does not exist: no such dataset or column, a column of another type."""

    @property
    def is_failing(self) -> bool:
        """Whether somebody has to look. A check that cannot be computed is no healthy one."""
        return self in (Status.FAILED, Status.ERROR, Status.NOT_COMPUTABLE)


class Severity(StrEnum):
    """How urgent a failure is; CRITICAL is the greater."""

    MODERATE = "MODERATE"
    CRITICAL = "CRITICAL"


def gravest(severities: list[Severity]) -> Severity:
    """CRITICAL where any is."""
    return Severity.CRITICAL if Severity.CRITICAL in severities else Severity.MODERATE


@dataclass(frozen=True)
class Finding:
    """The outcome of one evaluation.

    Attributes:
        message: one sentence with the numbers, and on failure the reason of the threshold.
        severity: of a failure; ``None`` takes the gravest that the check declares.
        value: the number that was judged, a data point for later evaluations.
        measured: further numbers, JSON-plain.
        event: the RID of the job, build or transaction that was judged: two reports of one event are one failure.
        at: when it happened, for a failure that was due earlier than now; ``None`` is now.
    """

    status: Status
    message: str
    severity: Severity | None = None
    value: float | None = None
    measured: Mapping[str, object] = field(default_factory=dict)
    event: str = ""
    at: datetime | None = None
