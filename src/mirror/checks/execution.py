"""Carries a plan out: each part of it is one Spark job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from mirror.checks.columns import ref
from mirror.checks.footers import read_footers
from mirror.checks.grouped import GroupedIncrements, GroupGrowth
from mirror.checks.growth import Growth
from mirror.checks.kept_strays import KeptStrays
from mirror.checks.key_hashes import MEMORY_BOUND_ROWS, hashable, proved_unique, proved_unique_with
from mirror.checks.metrics.base import ForeignMetric, KeyMetric, State
from mirror.checks.metrics.duplicates import Duplicates
from mirror.checks.metrics.foreign_values import ForeignValues
from mirror.checks.metrics.reference_rows import ReferenceRows
from mirror.checks.metrics.row_count import RowCount
from mirror.checks.plan import Plan
from mirror.checks.samples import Strays
from mirror.checks.scan import one_row, scan_states
from mirror.checks.subject import CheckSubject
from mirror.errors import InternalError
from transforms.ports import FileEntry

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Frames:
    """The frames of one subject and its references, each made once and only when something must be read."""

    def __init__(self, subject: CheckSubject) -> None:
        self.subject = subject
        self._made: dict[str, DataFrame] = {}

    def own(self) -> DataFrame:
        """The rows of the subject."""
        return self._get("", self.subject.frame)

    def reference(self, name: str) -> DataFrame:
        """The rows of one of its references."""
        return self._get(f"·{name}", self.subject.references[name].frame)

    def _get(self, key: str, make: Callable[[], DataFrame]) -> DataFrame:
        if key not in self._made:
            self._made[key] = make()
        return self._made[key]


def key_states(frame: DataFrame, metrics: Sequence[KeyMetric]) -> dict[str, State]:
    """Metric key -> state for metrics of one key set, from one job."""
    within = {name: column for metric in metrics for name, column in metric.within().items()}
    grouped = frame.groupBy(*[ref(key) for key in metrics[0].keys]).agg(*[c.alias(n) for n, c in within.items()])
    row = one_row(grouped, {name: column for metric in metrics for name, column in metric.across().items()})
    return {metric.key: metric.state(row) for metric in metrics}


def foreign_state(frames: Frames, metric: ForeignMetric, plan: Plan, growth: Growth | None) -> State:
    """The state of a metric about another dataset."""
    if isinstance(metric, ReferenceRows):
        return _reference_rows(frames, metric, growth)
    if isinstance(metric, ForeignValues):
        return _strays(frames, metric, plan.strays.get(metric.key), growth)
    raise InternalError(f"no plan for the foreign metric {metric.key}")


def _reference_rows(frames: Frames, metric: ReferenceRows, growth: Growth | None) -> int:
    other, rows = frames.subject.references[metric.dataset], RowCount()
    if growth is not None and other.files and other.part is not None:
        theirs = Growth(other, growth.store, growth.now)
        return int(theirs.states(theirs.cover([rows]))[rows.key])
    if (footers := read_footers(other.files, other.inside)) is not None:
        return footers.rows
    return int(scan_states(frames.reference(metric.dataset), [rows])[rows.key])


def _strays(frames: Frames, metric: ForeignValues, files: Sequence[FileEntry] | None, growth: Growth | None) -> int:
    """``files`` are those whose values are not known to have counterparts; all where ``None``."""
    subject = frames.subject
    if files is not None and not files:
        return 0
    if files is None or subject.part is None or len(files) == len(subject.files):
        own = frames.own()
    else:
        own = subject.part(files)
    strays = Strays(metric.column, metric.dataset, metric.foreign_column)
    rows = strays.rows(own, (), {metric.dataset: frames.reference(metric.dataset)})
    found = int(one_row(rows, {"strays": F.count(F.lit(1))})["strays"])
    if not found and files is not None and growth is not None:
        KeptStrays(subject, growth.store).keep(metric, files)
    return found


def execute(plan: Plan, frames: Frames, growth: Growth | None = None) -> dict[str, object]:
    """Metric key -> value. ``growth`` carries out what the plan says about files not seen before."""
    states = dict(plan.known)
    if plan.increments is not None and growth is not None:
        states |= growth.states(plan.increments)
    if plan.scan:
        states |= scan_states(frames.own(), plan.scan)
    key_sets = list(plan.keys)
    if plan.grouped is not None and growth is not None:
        states |= _by_group(plan.grouped, growth)
        # too many groups after all
        key_sets += [together for together in plan.grouped.metrics if together[0].key not in states]
    for together in key_sets:
        states |= _keyed(frames, together, states.get(RowCount().key), plan.footers_known, growth)
    for metric in plan.foreign:
        states[metric.key] = foreign_state(frames, metric, plan, growth)
    return {metric.key: metric.value(states[metric.key]) for metric in plan.metrics}


def _by_group(grouped: GroupedIncrements, growth: Growth) -> dict[str, State]:
    groups = GroupGrowth(growth.subject, growth.store)
    if not growth.units:
        groups.seen()
    return groups.states(grouped)


def _keyed(
    frames: Frames, together: Sequence[KeyMetric], rows: int | None, local: bool, growth: Growth | None
) -> dict[str, State]:
    """Metrics of one key set: proved from hashes where that is all they ask and memory allows, else by grouping."""
    keys, schema = together[0].keys, frames.subject.schema or frames.own().schema
    only_duplicates = all(isinstance(metric, Duplicates) for metric in together)
    if only_duplicates and rows is not None and rows <= MEMORY_BOUND_ROWS and hashable(schema, keys):
        readable = local and frames.subject.outside.isdisjoint(keys)
        files = frames.subject.files if readable else ()
        proved = (
            proved_unique_with(frames.subject, schema, keys, growth.store) if growth is not None and readable else None
        )
        if proved is None:
            proved = proved_unique(frames.own(), keys, files)
        if proved:
            return {metric.key: 0 for metric in together}
    return key_states(frames.own(), together)
