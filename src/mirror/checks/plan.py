"""What will be read for a set of verdicts: at most one scan, one job per key set, one per other dataset and column."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mirror.checks.metrics.base import ForeignMetric, KeyMetric, Metric, ScanMetric, State
from mirror.checks.proofs import Proofs
from mirror.checks.verdicts import Verdict


@dataclass(frozen=True)
class Plan:
    """Frozen and printable: what :mod:`mirror.checks.execution` carries out is what :meth:`explain` prints.

    Attributes:
        known: what the files' footers say for certain; nothing of it is read.
        footers_known: the files are local Parquet, so keys may be hashed where they lie.
        scan: metrics that share one pass over the rows.
        keys: metrics by key set; each set is one job.
        foreign: metrics about other datasets; each is one job at most.
    """

    known: Mapping[str, State]
    footers_known: bool
    metrics: tuple[Metric, ...]
    scan: tuple[ScanMetric, ...]
    keys: tuple[tuple[KeyMetric, ...], ...]
    foreign: tuple[ForeignMetric, ...]

    def explain(self) -> list[str]:
        """One line per job, then what rides on it."""
        lines: list[str] = []
        if self.known:
            lines.append("from the footers of its files")
            lines += [f"  {key}" for key in self.known]
        if self.scan:
            columns = sorted({column for metric in self.scan for column in metric.columns})
            lines.append(f"scan of {len(columns)} columns ({', '.join(columns) or 'none'})")
            lines += [f"  {metric.key}" for metric in self.scan]
        for together in self.keys:
            lines.append(f"groups by ({', '.join(together[0].keys)})")
            lines += [f"  {metric.key}" for metric in together]
        lines += [f"against {metric.dataset}: {metric.key}" for metric in self.foreign]
        return lines or ["nothing to read"]


def plan(verdicts: Iterable[Verdict], proofs: Proofs | None = None) -> Plan:
    """Every metric once, in the order of the checks; what ``proofs`` settle is not read."""
    metrics: dict[str, Metric] = {}
    for verdict in verdicts:
        for metric in verdict.metrics:
            metrics.setdefault(metric.key, metric)
    known = {} if proofs is None else _settled(metrics.values(), proofs)
    key_sets: dict[tuple[str, ...], list[KeyMetric]] = {}
    for metric in metrics.values():
        if isinstance(metric, KeyMetric) and metric.key not in known:
            key_sets.setdefault(tuple(sorted(metric.keys)), []).append(metric)
    return Plan(
        known=known,
        footers_known=proofs is not None,
        metrics=tuple(metrics.values()),
        scan=tuple(m for m in metrics.values() if isinstance(m, ScanMetric) and m.key not in known),
        keys=tuple(tuple(together) for together in key_sets.values()),
        foreign=tuple(m for m in metrics.values() if isinstance(m, ForeignMetric)),
    )


def _settled(metrics: Iterable[Metric], proofs: Proofs) -> dict[str, State]:
    states = {}
    for metric in metrics:
        state = metric.from_footers(proofs)
        if state is not None:
            states[metric.key] = state
    return states
