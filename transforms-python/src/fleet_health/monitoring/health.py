"""Figures to verdicts, and the alerts that follow, with owner and runbook on every row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.monitoring import COVERAGE_SCHEMA, HEALTH_SCHEMA, QUALITY_ALERTS_SCHEMA
from fleet_health.data_time import with_data_time
from fleet_health.monitoring.definitions import Metric, Playbook
from fleet_health.monitoring.judgement import UNKNOWN, Figure, Verdict, judge
from fleet_health.monitoring.measured import Watched, collected
from fleet_health.monitoring.passes import PASSES, pass_of
from fleet_health.profiles.model import Profile

MEASURED, TOO_LITTLE, NOT_APPLICABLE, PLATFORM = "MEASURED", "TOO_LITTLE", "NOT_APPLICABLE", "PLATFORM"
UNMEASURED = "the metric could not be measured; silence of a monitor is not health"
_COVERAGE = "metric_id string, family string, state string, reason string"
_ALERTED = "metric_id string, severity string, limit double, reason string"
_TOLD = "metric_id string, family string, owner string, rotation string, channel string, escalation string"


@dataclass(frozen=True)
class Looked:
    """What one look at the fleet found: a verdict per metric and part, and of every metric whether it was measured."""

    verdicts: tuple[tuple[Metric, Verdict], ...]
    coverage: Mapping[str, tuple[str, str]]


def look(watched: Watched, metrics: Sequence[Metric]) -> Looked:
    """Measures everything that can be measured in one Spark job, and judges it."""
    used = [one for one in PASSES if one.absent(watched.profile) is None]
    found = collected(watched, used)
    return judged(metrics, found, watched.profile, set(watched.frames))


def judged(
    metrics: Sequence[Metric], found: Mapping[str, Sequence[Figure]], profile: Profile, datasets: set[str]
) -> Looked:
    """Verdicts and coverage from figures.

    Args:
        metrics: all of them.
        found: figures by measure.
        profile: the fleet.
        datasets: those that were there to read.
    """
    verdicts: list[tuple[Metric, Verdict]] = []
    coverage: dict[str, tuple[str, str]] = {}
    for metric in metrics:
        why = _absent(metric, profile, datasets)
        if why is not None:
            coverage[metric.id] = why
            continue
        figures = found[metric.measure or ""]
        quiet = pass_of(metric.measure or "").quiet.get(metric.measure or "")
        if not figures and quiet is not None:
            coverage[metric.id] = (NOT_APPLICABLE, quiet)
            continue
        said = judge(metric, figures)
        verdicts += [(metric, verdict) for verdict in said]
        coverage[metric.id] = _state(said, metric)
    return Looked(tuple(verdicts), coverage)


def _absent(metric: Metric, profile: Profile, datasets: set[str]) -> tuple[str, str] | None:
    if metric.watched_by == "platform":
        return PLATFORM, f"watched from outside: {metric.how}"
    if metric.measure is None:
        return NOT_APPLICABLE, f"only the source knows: {metric.how}"
    taken = pass_of(metric.measure)
    reason = taken.absent(profile)
    if reason is not None:
        return NOT_APPLICABLE, reason
    missing = [name for name in taken.needs if name not in datasets]
    return (NOT_APPLICABLE, f"the fleet has no {', '.join(missing)}") if missing else None


def _state(said: Sequence[Verdict], metric: Metric) -> tuple[str, str]:
    if not said:
        least = f" ({metric.least_rows} are asked for)" if metric.least_rows else ""
        return TOO_LITTLE, f"too few rows{least} or too little history for a verdict"
    if all(verdict.status == UNKNOWN for verdict in said):
        return UNKNOWN, UNMEASURED
    return MEASURED, f"{len(said)} verdicts"


def health_rows(looked: Looked, raw: DataFrame, profile: Profile) -> DataFrame:
    """The rows of contract M7: every verdict, breached or not; ``measured_at`` is the newest receipt time of raw."""
    rows = [
        (
            metric.id,
            f"/Fleet/{profile.profile}/{metric.dataset}",
            verdict.dimension,
            verdict.value,
            verdict.expected,
            verdict.limit,
            verdict.status,
            verdict.severity,
        )
        for metric, verdict in looked.verdicts
    ]
    body = [field for field in HEALTH_SCHEMA if field.name != "measured_at"]
    made = raw.sparkSession.createDataFrame(rows, type(HEALTH_SCHEMA)(body))
    return conform(with_data_time(made, raw, "measured_at"), HEALTH_SCHEMA)


def coverage_rows(looked: Looked, metrics: Iterable[Metric], raw: DataFrame) -> DataFrame:
    """One row per metric: whether there is a verdict, and otherwise why not."""
    rows = [(metric.id, metric.family, *looked.coverage[metric.id]) for metric in metrics]
    made = raw.sparkSession.createDataFrame(rows, _COVERAGE)
    return conform(with_data_time(made, raw, "measured_at"), COVERAGE_SCHEMA)


def quality_alerts(health: DataFrame, metrics: Sequence[Metric], playbook: Playbook) -> DataFrame:
    """One row per metric and part that is not well: what, how bad, why the limit, who, where, and the first step.

    A metric that could not be measured raises a MEDIUM alert: silence of a monitor is not health.
    """
    spark = health.sparkSession
    books = {runbook.id: runbook for runbook in playbook.runbooks}
    told = [
        (
            m.id,
            m.family,
            m.owner,
            m.rotation,
            playbook.channels[m.channel],
            m.escalation,
            m.runbook,
            books[m.runbook].steps[0],
        )
        for m in metrics
    ]
    people = spark.createDataFrame(told, f"{_TOLD}, runbook_id string, runbook_step string")
    reasons = spark.createDataFrame(sorted(set(_reasons(metrics))), _ALERTED)
    unwell = health.where(F.col("status") != "OK")
    same = [unwell["metric_id"] == reasons["metric_id"], unwell["severity"] == reasons["severity"]]
    limit = unwell["threshold"] == reasons["limit"]
    with_reason = unwell.join(F.broadcast(reasons), [*same, limit], "left").select(unwell["*"], reasons["reason"])
    rows = with_reason.join(F.broadcast(people), "metric_id")
    why = F.when(F.col("status") == UNKNOWN, UNMEASURED).otherwise(F.col("reason"))
    renamed = rows.withColumnsRenamed({"dataset_name": "dataset", "value": "observed", "measured_at": "raised_at"})
    return conform(renamed.withColumn("reason", why), QUALITY_ALERTS_SCHEMA)


def _reasons(metrics: Iterable[Metric]) -> Iterator[tuple[str, str, float, str]]:
    """One reason per severity and limit; where two thresholds share both, the first one speaks."""
    seen: set[tuple[str, str, float]] = set()
    for metric in metrics:
        for threshold in metric.thresholds:
            limits = threshold.value.values() if isinstance(threshold.value, dict) else (threshold.value,)
            for limit in limits:
                key = (metric.id, threshold.severity, float(limit))
                if key not in seen:
                    seen.add(key)
                    yield (*key, threshold.reason)
