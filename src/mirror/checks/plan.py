"""What will be read for a set of verdicts: at most one scan, one job per key set, one per other dataset and column."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from mirror.checks.grouped import GroupedIncrements, GroupGrowth, sources
from mirror.checks.growth import Growth
from mirror.checks.kept_strays import KeptStrays
from mirror.checks.metrics.base import ForeignMetric, KeyMetric, Metric, ScanMetric, State
from mirror.checks.metrics.foreign_values import ForeignValues
from mirror.checks.proofs import Proofs
from mirror.checks.states import Increments
from mirror.checks.verdicts import Verdict
from transforms.ports import FileEntry


@dataclass(frozen=True)
class Plan:
    """Frozen and printable: what :mod:`mirror.checks.execution` carries out is what :meth:`explain` prints.

    Attributes:
        verdicts: what the plan is for.
        known: what the files' footers say for certain; nothing of it is read.
        proofs: what all footers say, where that was asked; then the files are local Parquet, and keys may be hashed
            where they lie.
        increments: states kept from earlier evaluations and the files still to be read for them.
        grouped: the same of groups.
        scan: metrics that share one pass over the rows.
        keys: metrics by key set that take all rows; each set is one job.
        foreign: metrics about other datasets; each is one job at most.
        strays: by metric key, the files whose values are still to be held against another dataset; all where a
            metric is not named.
    """

    verdicts: tuple[Verdict, ...]
    known: Mapping[str, State]
    proofs: Proofs | None
    increments: Increments | None
    grouped: GroupedIncrements | None
    metrics: tuple[Metric, ...]
    scan: tuple[ScanMetric, ...]
    keys: tuple[tuple[KeyMetric, ...], ...]
    foreign: tuple[ForeignMetric, ...]
    strays: Mapping[str, tuple[FileEntry, ...]]

    @property
    def footers_known(self) -> bool:
        """Whether the files are local Parquet whose footers can be read."""
        return self.proofs is not None

    def explain(self) -> list[str]:
        """One line per job, then what rides on it."""
        from mirror.checks.explanation import explanation

        return explanation(self)


def plan(
    verdicts: Iterable[Verdict],
    facts: Callable[[], Proofs | None] = lambda: None,
    growth: Growth | None = None,
) -> Plan:
    """Every metric once, in the order of the checks.

    Args:
        facts: gives what the footers of all files say, if they can be read; asked only where it matters.
        growth: covers metrics with states kept earlier; it comes before the footers.
    """
    verdicts = tuple(verdicts)
    metrics: dict[str, Metric] = {}
    for verdict in verdicts:
        for metric in verdict.metrics:
            metrics.setdefault(metric.key, metric)
    grown = [m for m in metrics.values() if isinstance(m, ScanMetric) and m.stable] if growth is not None else []
    increments = None if growth is None else growth.cover(grown)
    growing = {m.key for m in grown}
    others = [m for m in metrics.values() if m.key not in growing]
    proofs = facts() if others else None
    known = {} if proofs is None else _settled(others, proofs)
    key_sets: dict[tuple[str, ...], list[KeyMetric]] = {}
    for metric in metrics.values():
        if isinstance(metric, KeyMetric) and metric.key not in known:
            key_sets.setdefault(tuple(sorted(metric.keys)), []).append(metric)
    grouped = None if growth is None else _grouped(growth, key_sets.values())
    by_group = {m.key for together in grouped.metrics for m in together} if grouped is not None else set()
    foreign = tuple(m for m in metrics.values() if isinstance(m, ForeignMetric))
    return Plan(
        verdicts=verdicts,
        known=known,
        proofs=proofs,
        increments=increments,
        grouped=grouped,
        metrics=tuple(metrics.values()),
        scan=tuple(m for m in others if isinstance(m, ScanMetric) and m.key not in known),
        keys=tuple(tuple(together) for together in key_sets.values() if together[0].key not in by_group),
        foreign=foreign,
        strays={} if growth is None else _strays(growth, foreign),
    )


def _settled(metrics: Iterable[Metric], proofs: Proofs) -> dict[str, State]:
    states = {}
    for metric in metrics:
        state = metric.from_footers(proofs)
        if state is not None:
            states[metric.key] = state
    return states


def _grouped(growth: Growth, key_sets: Iterable[list[KeyMetric]]) -> GroupedIncrements | None:
    wanted = [together for together in key_sets if sources(together) is not None]
    return GroupGrowth(growth.subject, growth.store).cover(wanted, growth.units) if wanted else None


def _strays(growth: Growth, foreign: Iterable[ForeignMetric]) -> dict[str, tuple[FileEntry, ...]]:
    kept = KeptStrays(growth.subject, growth.store)
    return {metric.key: kept.left(metric, growth.units) for metric in foreign if isinstance(metric, ForeignValues)}
