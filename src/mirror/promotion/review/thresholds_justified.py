"""Every threshold has a reason, and every metric an owner, a runbook with steps and an escalation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mirror.datasets.errors import GuestNotFoundError
from mirror.errors import UsageError
from mirror.health import HealthCheckFileError
from mirror.health.check_files import HEALTH_FOLDER, load_checks
from mirror.promotion.review import Answer, ReviewCase, Verdict
from mirror.promotion.review._monitoring import Monitoring, monitoring
from mirror.promotion.review._wording import some


def examine(case: ReviewCase) -> Answer:
    found = monitoring(case.repository)
    link = ", ".join(found.files) or "transforms-python/src/<package>/monitoring/*.yaml"
    thresholds = sum(len(metric.get("thresholds") or []) for metric in found.metrics)
    if not thresholds:
        return Answer(Verdict.NOT_MET, "no metric has a threshold", link, "Define metrics with thresholds and reasons.")
    gaps = [gap for metric in found.metrics for gap in _gaps(metric, found)]
    proof = f"{len(found.metrics)} metrics, {thresholds} thresholds, {len(found.runbooks)} runbooks"
    try:
        # a health check with a threshold that has no reason does not load
        health = load_checks(case.repository)
    except HealthCheckFileError as error:
        return Answer(Verdict.NOT_MET, f"{proof}; {error}", HEALTH_FOLDER, "Mend the file where the message points.")
    if health.all:
        link, proof = f"{link}, {HEALTH_FOLDER}", f"{proof}, {len(health.all)} health checks"
        gaps += [
            f"health check {check.name!r} has no {what}"
            for check in health.all
            for what, there in (("runbook", check.runbook), ("subscriber", check.subscribers))
            if not there
        ]
        gaps += [
            f"health check {check.name!r} names runbook {check.runbook!r}, which does not exist"
            for check in health.all
            if check.runbook and check.runbook not in found.runbooks
        ]
    if gaps:
        return Answer(
            Verdict.NOT_MET, f"{proof}; {some(gaps)}", link, "Add what is missing where the metric is defined."
        )
    return Answer(Verdict.MET, proof, link)


def reference_gaps(repository: Path) -> list[str]:
    """What metrics name and nobody defined; nothing where there are no metrics."""
    try:
        found = monitoring(repository)
    except UsageError as error:
        return [] if isinstance(error, GuestNotFoundError) else [str(error)]
    return [gap for metric in found.metrics for gap in _gaps(metric, found) if "does not exist" in gap]


def _gaps(metric: Mapping[str, Any], found: Monitoring) -> Iterator[str]:
    name = str(metric.get("id") or metric.get("name") or "a metric without id")
    thresholds = metric.get("thresholds") or []
    if not thresholds:
        yield f"{name} has no threshold"
    for threshold in thresholds:
        if not str(threshold.get("reason") or metric.get("justification") or "").strip():
            yield f"{name} {threshold.get('op')} {threshold.get('value')} has no reason"
    if not metric.get("owner"):
        yield f"{name} has no owner"
    runbook = found.runbooks.get(str(metric.get("runbook")))
    if runbook is None:
        yield f"{name} names runbook {metric.get('runbook')!r}, which does not exist"
    elif not runbook.get("steps"):
        yield f"runbook {metric.get('runbook')} of {name} has no steps"
    if str(metric.get("escalation")) not in found.escalations:
        yield f"{name} names escalation {metric.get('escalation')!r}, which does not exist"
