"""A plan in lines for people: one per job, or per source that takes none, then what is learned from it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from mirror.checks import grouped as limits
from mirror.checks.grouped import GroupedIncrements, sources
from mirror.checks.key_hashes import MEMORY_BOUND_ROWS
from mirror.checks.metrics.base import KeyMetric, Metric
from mirror.checks.metrics.duplicates import Duplicates
from mirror.checks.metrics.foreign_values import ForeignValues
from mirror.checks.states import Increments
from mirror.checks.verdicts import Combined, Impossible, Settled, Verdict

if TYPE_CHECKING:
    from mirror.checks.plan import Plan

SCAN_RULE = (
    "a scan after the write, not an observation on it: reading what footers leave open costs less;"
    " measured by checks.scan_against_observe"
)
"""Why a scan is chosen over ``observe``, whatever the columns: an observation computes every aggregate while all
columns pass, knows nothing of footers and kept states, and counts twice where a sort or a limit follows it."""


def explanation(plan: Plan) -> list[str]:
    """The lines; a plan that reads nothing says so."""
    lines = _without_data(plan.verdicts)
    if plan.known and plan.proofs is not None:
        lines += _listed(f"from the footers of its files ({plan.proofs.footers.told})", plan.known)
    if plan.increments is not None:
        lines += _increments(plan.increments)
    if plan.scan:
        anew = " of all files, as what depends on the current time changes without them"
        lines += _scan("" if plan.increments is None else anew, plan.scan)
    if plan.grouped is not None:
        lines += _grouped(plan.grouped)
    for together in plan.keys:
        lines += _listed(f"groups by ({', '.join(together[0].keys)}): {_way(together, plan)}", _keys(together))
    lines += [_foreign(metric, plan) for metric in plan.foreign]
    return lines or ["nothing to read"]


def _without_data(verdicts: Iterable[Verdict]) -> list[str]:
    settled, impossible = [], []
    for verdict in _leaves(verdicts):
        if isinstance(verdict, Settled):
            settled.append(verdict.text)
        elif isinstance(verdict, Impossible):
            impossible.append(f"{verdict.text}: {verdict.error}")
    return [
        *(_listed("from the schema alone", settled) if settled else ()),
        *(_listed("not computable", impossible) if impossible else ()),
    ]


def _leaves(verdicts: Iterable[Verdict]) -> Iterable[Verdict]:
    for verdict in verdicts:
        if isinstance(verdict, Combined):
            yield from _leaves(verdict.parts)
        else:
            yield verdict


def _increments(increments: Increments) -> list[str]:
    pending = {metric for part in increments.parts for metric in part.metrics}
    kept = [metric.key for metric in increments.kept if metric not in pending]
    lines = _listed("from states kept of all files", kept) if kept else []
    for part in increments.parts:
        unseen = f" of {len(part.files)} files not seen before"
        if part.settled:
            lines += _listed(f"from the footers{unseen} ({part.told})", _keys(part.settled))
        if part.unsettled:
            lines += _scan(unseen, part.unsettled)
    return lines


def _scan(of: str, metrics: Sequence[Metric]) -> list[str]:
    columns = sorted({column for metric in metrics for column in metric.columns})
    title = f"scan of {len(columns)} columns ({', '.join(columns) or 'none'}){of}"
    return _listed(title, [f"({SCAN_RULE})", *_keys(metrics)])


def _grouped(grouped: GroupedIncrements) -> list[str]:
    lines = []
    for together in grouped.metrics:
        keys = tuple(sorted(together[0].keys))
        files = [len(part.files) for part in grouped.parts if part.keys == keys]
        new = f"{sum(files)} files not seen before, merged with" if files else "nothing but"
        lines += _listed(f"groups by ({', '.join(keys)}): {new} the groups kept of earlier ones", _keys(together))
    return lines


def _way(together: Sequence[KeyMetric], plan: Plan) -> str:
    if all(isinstance(metric, Duplicates) for metric in together):
        where = "the files" if plan.footers_known else "Spark"
        return (
            f"64-bit hashes from {where}, sorted in memory up to {MEMORY_BOUND_ROWS:,} rows;"
            " beyond, or where a hash repeats, the keys are grouped"
        )
    if plan.increments is None:
        return "all rows"
    if sources(together) is None:
        return "all rows, as one of these has no state per group that is small and merges"
    return f"all rows; groups are kept from the second transaction on, up to {limits.GROUPS_OF_A_PART:,} in each"


def _foreign(metric: Metric, plan: Plan) -> str:
    name = getattr(metric, "dataset", "")
    line = f"against {name}: {metric.key}"
    if isinstance(metric, ForeignValues) and metric.key in plan.strays:
        line += f", values of {len(plan.strays[metric.key])} files not yet compared with what {name} holds"
    return line


def _keys(metrics: Iterable[Metric]) -> list[str]:
    return [metric.key for metric in metrics]


def _listed(title: str, members: Iterable[str]) -> list[str]:
    return [title, *(f"  {member}" for member in members)]
