"""Measured values against their thresholds, and the alerts that follow, with owner and runbook on every row."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from fleet_health.alerting.severity import rank
from fleet_health.contracts.conform import conform
from fleet_health.contracts.monitoring import HEALTH_SCHEMA, QUALITY_ALERTS_SCHEMA
from fleet_health.data_time import with_data_time
from fleet_health.monitoring.definitions import Metric, Playbook, Threshold
from fleet_health.monitoring.measures import MEASURES, Watched
from fleet_health.profiles.model import Profile

_COMPARE: Mapping[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def pipeline_health(watched: Watched, metrics: Sequence[Metric]) -> DataFrame:
    """The rows of contract M7: every metric, breached or not; ``measured_at`` is the newest receipt time of raw."""
    measured = [_judged(MEASURES[metric.measure](watched), metric, watched.profile) for metric in metrics]
    rows = functools.reduce(DataFrame.unionByName, measured)
    return conform(with_data_time(rows, watched.raw, "measured_at"), HEALTH_SCHEMA)


def _judged(values: DataFrame, metric: Metric, profile: Profile) -> DataFrame:
    severity = _first(metric, lambda threshold: F.lit(threshold.severity))
    status = (
        F.when(F.col("value").isNull(), "UNKNOWN")
        .when(severity.isNull(), "OK")
        .when(severity.isin("HIGH", "CRITICAL"), "BREACH")
        .otherwise("WARN")
    )
    limit = _first(metric, lambda threshold: F.lit(threshold.value))
    return values.select(
        F.lit(metric.id).alias("metric_id"),
        F.lit(f"/Fleet/{profile.profile}/{metric.dataset}").alias("dataset_name"),
        "dimension",
        F.col("value").cast("double"),
        F.lit(metric.expected).alias("expected_value"),
        F.coalesce(limit, F.lit(_mildest(metric).value)).alias("threshold"),
        status.alias("status"),
        severity.alias("severity"),
    )


def quality_alerts(health: DataFrame, metrics: Sequence[Metric], playbook: Playbook) -> DataFrame:
    """One row per metric and dimension that is not well: what, how bad, why the limit, who, where, and the first step.

    A metric that could not be measured raises a MEDIUM alert: silence of a monitor is not health.
    """
    unwell = health.where(F.col("status") != "OK")
    rows = [_alerted(unwell.where(F.col("metric_id") == metric.id), metric, playbook) for metric in metrics]
    return conform(functools.reduce(DataFrame.unionByName, rows), QUALITY_ALERTS_SCHEMA)


def _alerted(rows: DataFrame, metric: Metric, playbook: Playbook) -> DataFrame:
    runbook = playbook.runbook(metric.runbook)
    told = {
        "family": metric.family,
        "owner": metric.owner,
        "rotation": metric.rotation,
        "channel": playbook.channels[metric.channel],
        "escalation": metric.escalation,
        "runbook_id": runbook.id,
        "runbook_step": runbook.steps[0],
    }
    unmeasured = F.lit("the metric could not be measured; silence of a monitor is not health")
    reason = _first(metric, lambda threshold: F.lit(threshold.reason), "observed")
    renamed = rows.withColumnsRenamed({"dataset_name": "dataset", "value": "observed", "measured_at": "raised_at"})
    return renamed.withColumns(
        {name: F.lit(value) for name, value in told.items()}
        | {
            "severity": F.coalesce("severity", F.lit("MEDIUM")),
            "reason": F.when(F.col("observed").isNull(), unmeasured).otherwise(reason),
        }
    )


def _first(metric: Metric, pick: Callable[[Threshold], Column], value: str = "value") -> Column:
    """What the most severe breached threshold gives; null when none is breached."""
    chosen = F.lit(None)
    for threshold in sorted(metric.thresholds, key=lambda t: rank(t.severity)):
        breached = _COMPARE[threshold.op](F.col(value), F.lit(threshold.value))
        chosen = F.when(F.coalesce(breached, F.lit(False)), pick(threshold)).otherwise(chosen)
    return chosen


def _mildest(metric: Metric) -> Threshold:
    return min(metric.thresholds, key=lambda threshold: rank(threshold.severity))
