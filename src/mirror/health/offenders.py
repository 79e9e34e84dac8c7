"""Checks that pass when no row offends."""

from __future__ import annotations

from mirror.health.case import HealthCase
from mirror.health.declaration import ContentCheck
from mirror.health.finding import Finding, Status


def none_offends(check: ContentCheck, case: HealthCase, noun: str) -> Finding:
    """FAILED when the check's one metric counts any row."""
    (count,) = case.content.values(*check.metrics(case.content.columns))
    text = f"{noun}: {count:,}"
    failed = count > 0
    return Finding(
        Status.FAILED if failed else Status.PASSED,
        f"{text} ({check.reason})" if failed and check.reason else text,
        value=float(count),
        event=case.subject.newest.rid,
    )
