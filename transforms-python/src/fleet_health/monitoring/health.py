"""Figures to verdicts, and the alerts that follow, with owner and runbook on every row."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql import types as T

from fleet_health.contracts.conform import conform, frame_of
from fleet_health.contracts.monitoring import COVERAGE_SCHEMA, HEALTH_SCHEMA, QUALITY_ALERTS_SCHEMA
from fleet_health.monitoring.definitions import Metric, Playbook
from fleet_health.monitoring.judgement import UNKNOWN, Figure, Verdict, judge
from fleet_health.monitoring.measured import Watched, collected
from fleet_health.monitoring.passes import PASSES, pass_of
from fleet_health.profiles.model import Profile

MEASURED, TOO_LITTLE, NOT_APPLICABLE, PLATFORM = "MEASURED", "TOO_LITTLE", "NOT_APPLICABLE", "PLATFORM"
UNMEASURED = "the metric could not be measured; silence of a monitor is not health"


@dataclass(frozen=True)
class Looked:
    """What one look at the fleet found: a verdict per metric and part, and of every metric whether it was measured.

    ``at`` is the newest receipt time, microseconds since 1970.
    """

    verdicts: tuple[tuple[Metric, Verdict], ...]
    coverage: Mapping[str, tuple[str, str]]
    at: int = 0


def look(watched: Watched, metrics: Sequence[Metric]) -> Looked:
    """Measures everything that can be measured, and judges it."""
    used = [one for one in PASSES if one.absent(watched.profile) is None]
    found = collected(watched, used)
    looked = judged(metrics, found, watched.profile, set(watched.frames))
    return replace(looked, at=watched.newest("raw_sensor_readings", "timestamp_ingested") or 0)


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


def health_rows(looked: Looked, spark: SparkSession, profile: Profile) -> DataFrame:
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
    return _at(looked.at, rows, spark, HEALTH_SCHEMA)


def coverage_rows(looked: Looked, metrics: Iterable[Metric], spark: SparkSession) -> DataFrame:
    """One row per metric: whether there is a verdict, and otherwise why not."""
    rows = [(metric.id, metric.family, *looked.coverage[metric.id]) for metric in metrics]
    return _at(looked.at, rows, spark, COVERAGE_SCHEMA)


def _at(time: int, rows: Sequence[tuple[Any, ...]], spark: SparkSession, schema: T.StructType) -> DataFrame:
    """Rows without ``measured_at``, and that time."""
    body = T.StructType([field for field in schema if field.name != "measured_at"])
    return conform(frame_of(spark, rows, body).withColumn("measured_at", F.timestamp_micros(F.lit(time))), schema)


def quality_alerts(health: DataFrame, metrics: Sequence[Metric], playbook: Playbook) -> DataFrame:
    """One row per metric and part that is not well: what, how bad, why the limit, who, where, and the first step.

    A metric that could not be measured raises a MEDIUM alert: silence of a monitor is not health.
    """
    books = {runbook.id: runbook for runbook in playbook.runbooks}
    known = {metric.id: metric for metric in metrics}
    reasons = {(name, severity, limit): reason for name, severity, limit, reason in _reasons(metrics)}
    rows = []
    # verdicts that are not well: some per metric and part, whatever the size of the fleet
    for row in health.where("status != 'OK'").collect():
        if (metric := known.get(row["metric_id"])) is None:
            continue
        told = {
            **row.asDict(),
            **metric.model_dump(include={"family", "owner", "rotation", "escalation"}),
            "dataset": row["dataset_name"],
            "observed": row["value"],
            "raised_at": row["measured_at"],
            "reason": reasons.get((metric.id, row["severity"], row["threshold"])),
            "channel": playbook.channels[metric.channel],
            "runbook_id": metric.runbook,
            "runbook_step": books[metric.runbook].steps[0],
        }
        if row["status"] == UNKNOWN:
            told["reason"] = UNMEASURED
        rows.append(tuple(told[name] for name in QUALITY_ALERTS_SCHEMA.names))
    return frame_of(health.sparkSession, rows, QUALITY_ALERTS_SCHEMA)


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
