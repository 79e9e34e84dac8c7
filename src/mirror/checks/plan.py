"""What will be read for a set of verdicts: at most one scan, one job per key set, one per other dataset and column."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mirror.checks.metrics.base import ForeignMetric, KeyMetric, Metric, ScanMetric
from mirror.checks.verdicts import Verdict


@dataclass(frozen=True)
class Plan:
    """Frozen and printable: what :mod:`mirror.checks.execution` carries out is what :meth:`explain` prints.

    Attributes:
        scan: metrics that share one pass over the rows.
        keys: metrics by key set; each set is one job.
        foreign: metrics about other datasets; each is one job at most.
    """

    scan: tuple[ScanMetric, ...]
    keys: tuple[tuple[KeyMetric, ...], ...]
    foreign: tuple[ForeignMetric, ...]

    def explain(self) -> list[str]:
        """One line per job, then what rides on it."""
        lines: list[str] = []
        if self.scan:
            columns = sorted({column for metric in self.scan for column in metric.columns})
            lines.append(f"scan of {len(columns)} columns ({', '.join(columns) or 'none'})")
            lines += [f"  {metric.key}" for metric in self.scan]
        for together in self.keys:
            lines.append(f"groups by ({', '.join(together[0].keys)})")
            lines += [f"  {metric.key}" for metric in together]
        lines += [f"against {metric.dataset}: {metric.key}" for metric in self.foreign]
        return lines or ["nothing to read"]


def plan(verdicts: Iterable[Verdict]) -> Plan:
    """Every metric once, in the order of the checks."""
    metrics: dict[str, Metric] = {}
    for verdict in verdicts:
        for metric in verdict.metrics:
            metrics.setdefault(metric.key, metric)
    key_sets: dict[tuple[str, ...], list[KeyMetric]] = {}
    for metric in metrics.values():
        if isinstance(metric, KeyMetric):
            key_sets.setdefault(tuple(sorted(metric.keys)), []).append(metric)
    return Plan(
        scan=tuple(m for m in metrics.values() if isinstance(m, ScanMetric)),
        keys=tuple(tuple(together) for together in key_sets.values()),
        foreign=tuple(m for m in metrics.values() if isinstance(m, ForeignMetric)),
    )
