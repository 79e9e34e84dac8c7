"""Carries a plan out: each part of it is one Spark job."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from pyspark.sql import functions as F

from mirror.checks.columns import ref
from mirror.checks.footers import read_footers
from mirror.checks.growth import Growth
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


def foreign_state(frames: Frames, metric: ForeignMetric) -> State:
    """The state of a metric about another dataset."""
    if isinstance(metric, ReferenceRows):
        other = frames.subject.references[metric.dataset]
        if (footers := read_footers(other.files, other.schema)) is not None:
            return footers.rows
        return scan_states(frames.reference(metric.dataset), [RowCount()])[RowCount().key]
    if isinstance(metric, ForeignValues):
        strays = Strays(metric.column, metric.dataset, metric.foreign_column)
        rows = strays.rows(frames.own(), (), {metric.dataset: frames.reference(metric.dataset)})
        return int(one_row(rows, {"strays": F.count(F.lit(1))})["strays"])
    raise InternalError(f"no plan for the foreign metric {metric.key}")


def execute(plan: Plan, frames: Frames, growth: Growth | None = None) -> dict[str, object]:
    """Metric key -> value. ``growth`` carries out what the plan says about files not seen before."""
    states = dict(plan.known)
    if plan.increments is not None and growth is not None:
        states |= growth.states(plan.increments)
    if plan.scan:
        states |= scan_states(frames.own(), plan.scan)
    for together in plan.keys:
        states |= _keyed(frames, together, states.get(RowCount().key), plan.footers_known, growth)
    for metric in plan.foreign:
        states[metric.key] = foreign_state(frames, metric)
    return {metric.key: metric.value(states[metric.key]) for metric in plan.metrics}


def _keyed(
    frames: Frames, together: Sequence[KeyMetric], rows: int | None, local: bool, growth: Growth | None
) -> dict[str, State]:
    """Metrics of one key set: proved from hashes where that is all they ask and memory allows, else by grouping."""
    keys, schema = together[0].keys, frames.subject.schema or frames.own().schema
    only_duplicates = all(isinstance(metric, Duplicates) for metric in together)
    if only_duplicates and rows is not None and rows <= MEMORY_BOUND_ROWS and hashable(schema, keys):
        files = frames.subject.files if local else ()
        proved = (
            proved_unique_with(frames.subject, schema, keys, growth.store) if growth is not None and local else None
        )
        if proved is None:
            proved = proved_unique(frames.own(), keys, files)
        if proved:
            return {metric.key: 0 for metric in together}
    return key_states(frames.own(), together)
