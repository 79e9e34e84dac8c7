"""What will be read for a set of verdicts: at most one scan, one job per key set, one per other dataset and column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mirror.checks.metrics.base import ForeignMetric, KeyMetric, Metric, ScanMetric, State
from mirror.checks.proofs import Proofs
from mirror.checks.states import Increments
from mirror.checks.verdicts import Verdict


@dataclass(frozen=True)
class Plan:
    """Frozen and printable: what :mod:`mirror.checks.execution` carries out is what :meth:`explain` prints.

    Attributes:
        known: what the files' footers say for certain; nothing of it is read.
        footers_known: the files are local Parquet, so keys may be hashed where they lie.
        increments: states kept from earlier evaluations and the files still to be read for them.
        scan: metrics that share one pass over the rows.
        keys: metrics by key set; each set is one job.
        foreign: metrics about other datasets; each is one job at most.
    """

    known: Mapping[str, State]
    increments: Increments | None
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
        if self.increments is not None:
            lines += self._explain_increments(self.increments)
        if self.scan:
            columns = sorted({column for metric in self.scan for column in metric.columns})
            lines.append(f"scan of {len(columns)} columns ({', '.join(columns) or 'none'})")
            lines += [f"  {metric.key}" for metric in self.scan]
        for together in self.keys:
            lines.append(f"groups by ({', '.join(together[0].keys)})")
            lines += [f"  {metric.key}" for metric in together]
        lines += [f"against {metric.dataset}: {metric.key}" for metric in self.foreign]
        return lines or ["nothing to read"]

    @staticmethod
    def _explain_increments(increments: Increments) -> list[str]:
        pending = {metric for part in increments.parts for metric in part.metrics}
        settled = [metric.key for metric in increments.kept if metric not in pending]
        lines = ["from states kept of all files", *(f"  {key}" for key in settled)] if settled else []
        for part in increments.parts:
            lines.append(f"footers, else a scan, of {len(part.files)} files not seen before")
            lines += [f"  {metric.key}" for metric in part.metrics]
        return lines


def plan(
    verdicts: Iterable[Verdict],
    facts: Callable[[], Proofs | None] = lambda: None,
    grow: Callable[[list[ScanMetric]], Increments] | None = None,
) -> Plan:
    """Every metric once, in the order of the checks.

    Args:
        facts: gives what the footers of all files say, if they can be read; asked only where it matters.
        grow: covers metrics with states kept earlier; it comes before the footers.
    """
    metrics: dict[str, Metric] = {}
    for verdict in verdicts:
        for metric in verdict.metrics:
            metrics.setdefault(metric.key, metric)
    grown = [m for m in metrics.values() if isinstance(m, ScanMetric) and m.stable] if grow is not None else []
    growing = {m.key for m in grown}
    others = [m for m in metrics.values() if m.key not in growing]
    proofs = facts() if others else None
    known = {} if proofs is None else _settled(others, proofs)
    key_sets: dict[tuple[str, ...], list[KeyMetric]] = {}
    for metric in metrics.values():
        if isinstance(metric, KeyMetric) and metric.key not in known:
            key_sets.setdefault(tuple(sorted(metric.keys)), []).append(metric)
    return Plan(
        known=known,
        increments=None if grow is None else grow(grown),
        footers_known=proofs is not None,
        metrics=tuple(metrics.values()),
        scan=tuple(m for m in others if isinstance(m, ScanMetric) and m.key not in known),
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
