"""The one pass: aggregates of many metrics over the rows of a frame, in one job."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mirror.checks.jobs import as_one_job
from mirror.checks.metrics.base import ScanMetric, State

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame


def scan_states(frame: DataFrame, metrics: Sequence[ScanMetric]) -> dict[str, State]:
    """Metric key -> state, all from one pass and one job; nothing for no metrics."""
    if not metrics:
        return {}
    row = one_row(frame, {name: column for metric in metrics for name, column in metric.aggregates().items()})
    return {metric.key: metric.state(row) for metric in metrics}


def one_row(frame: DataFrame, aggregates: Mapping[str, Column]) -> dict[str, Any]:
    """The aggregates of all rows by name; columns travel under short names, as keys may hold any character."""
    renamed = [column.alias(f"a{i}") for i, column in enumerate(aggregates.values())]
    row = as_one_job(frame.agg(*renamed)).collect()[0]
    return dict(zip(aggregates, row, strict=True))
