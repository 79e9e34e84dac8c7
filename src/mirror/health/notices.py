"""From a finding to a report: how many failures in a row, how grave that makes it, and who has to hear of it.

Somebody is told when a check fails, when a failure becomes CRITICAL, and when it recovers. A failure that is looked at
again, of the same job, build or transaction, tells nobody twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from mirror.health.declaration import HealthCheck, StatusCheck
from mirror.health.finding import Finding, Severity, Status
from mirror.health.reports import CheckReport

FAILED, ESCALATED, RECOVERED = "failed", "escalated", "recovered"


def conclude(
    check: HealthCheck, finding: Finding, earlier: Sequence[CheckReport], branch: str, now: datetime
) -> CheckReport:
    """The report on a finding. ``earlier`` are the check's own reports, newest first."""
    at = finding.at or now
    failing = finding.status.is_failing
    row = _failed_events(finding, earlier, at) if finding.status is Status.FAILED else []
    severity = (finding.severity or check.gravest) if failing else None
    if severity is not None and _escalates(check, row, at):
        severity = Severity.CRITICAL
    before = next((one for one in earlier if one.status is not Status.NOT_APPLICABLE), None)
    notice = _notice(finding, severity, before)
    snoozed = bool(notice or failing) and check.snoozed_until is not None and check.snoozed_until > now
    told = watchers(check, severity) if severity is not None else _told(earlier)
    return CheckReport(
        check=check.name,
        branch=branch,
        type=check.type,
        subject=check.subject,
        paths=check.paths,
        view=check.view,
        status=finding.status,
        message=finding.message,
        created_at=at,
        severity=severity,
        value=finding.value,
        event=finding.event,
        measured=dict(finding.measured),
        failures=len(row),
        notice=notice,
        notified=told if notice and not snoozed else (),
        snoozed=snoozed,
        config=check.model_dump(mode="json", by_alias=True, exclude_defaults=True),
    )


def watchers(check: HealthCheck, severity: Severity) -> tuple[str, ...]:
    """The subscribers whose level a failure of that severity reaches."""
    heard = {"all failures"} | ({"only critical"} if severity is Severity.CRITICAL else set())
    return tuple(one.who for one in check.subscribers if one.level in heard)


def _told(earlier: Sequence[CheckReport]) -> tuple[str, ...]:
    """Who has heard of the present run of failures: they hear of its end as well, and nobody else does."""
    found: dict[str, None] = {}
    for report in earlier:
        if report.status in (Status.PASSED, Status.WARNING):
            break
        found |= dict.fromkeys(report.notified)
    return tuple(sorted(found))


def _notice(finding: Finding, severity: Severity | None, before: CheckReport | None) -> str:
    was_failing = before is not None and before.status.is_failing
    if not finding.status.is_failing:
        passed = finding.status in (Status.PASSED, Status.WARNING)
        return RECOVERED if was_failing and passed else ""
    if before is None or not was_failing or before.snoozed:
        return FAILED
    if severity is Severity.CRITICAL and before.severity is not Severity.CRITICAL:
        return ESCALATED
    same = before.event == finding.event and before.status is finding.status
    return "" if same else FAILED


def _failed_events(finding: Finding, earlier: Sequence[CheckReport], at: datetime) -> list[datetime]:
    """When each event of the present run of failures was first reported, newest event first, this one included."""
    found = {finding.event: at}
    for report in earlier:
        if report.status is Status.FAILED:
            found[report.event] = report.created_at
        elif report.status in (Status.PASSED, Status.WARNING):
            break
    return list(found.values())


def _escalates(check: HealthCheck, failed: Sequence[datetime], at: datetime) -> bool:
    rule = check.escalation if isinstance(check, StatusCheck) else None
    if rule is None or len(failed) < rule.failures_to_critical:
        return False
    if rule.time_interval_in_seconds is None:
        return True
    return failed[rule.failures_to_critical - 1] >= at - timedelta(seconds=rule.time_interval_in_seconds)
