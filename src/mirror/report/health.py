"""What the health checks said, newest and before, as lines of the report."""

from __future__ import annotations

from mirror.datasets import Workspace
from mirror.health.finding import Status
from mirror.health.reports import history, latest
from mirror.report.snapshot import HealthLine

SHOWN_REPORTS = 30
"""Of one check, newest last."""

_WORDS = {
    Status.PASSED: "pass",
    Status.WARNING: "warn",
    Status.FAILED: "fail",
    Status.ERROR: "error",
    Status.NOT_COMPUTABLE: "error",
    Status.NOT_APPLICABLE: "idle",
}


def health_lines(workspace: Workspace, branch: str) -> tuple[HealthLine, ...]:
    """One line per check that had something to judge, failing ones first, then by view, subject and name."""
    lines = []
    for name, newest in latest(workspace, branch).items():
        if newest.status is Status.NOT_APPLICABLE:
            continue
        before = history(workspace, branch, name, limit=SHOWN_REPORTS)
        lines.append(
            HealthLine(
                check=name,
                subject=newest.subject,
                view=newest.view,
                status=_WORDS[newest.status],
                severity="" if newest.severity is None else newest.severity.value,
                message=newest.message,
                at=newest.created_at,
                told=newest.notified,
                past=tuple((_WORDS[one.status], one.created_at) for one in reversed(before)),
            )
        )
    order = {"error": 0, "fail": 1, "warn": 2, "pass": 3}
    return tuple(sorted(lines, key=lambda line: (order[line.status], line.view, line.subject, line.check)))
