"""What is kept of groups between evaluations, so that a dataset that grows is grouped at the cost of its new rows.

Kept are the states of one scan metric by group, under a hash of the group's key, so that no value of a key lies in the
catalog and a long one costs no more than a short one. At most :data:`GROUPS_OF_A_PART` groups are kept of a part and
:data:`GROUPS_IN_ALL` are merged; beyond that, and for properties whose states within a group do not merge in bounded
space (exact and approximate distinct counts), all rows are grouped again. Nothing is kept of a dataset before its
second transaction: one that is replaced as a whole each time would pay for states that nobody reads.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING, Any

from pyspark.sql import functions as F
from pyspark.sql import types as T

from mirror.checks.columns import Columns, ref
from mirror.checks.encoding import tagged
from mirror.checks.jobs import as_one_job
from mirror.checks.metrics.base import NULL_GROUP, KeyMetric, ScanMetric, State
from mirror.checks.metrics.duplicates import Duplicates
from mirror.checks.metrics.extremes import comparable
from mirror.checks.states import StateStore, StateUnit, covered, identity, kept_key
from mirror.checks.subject import CheckSubject
from transforms.ports import FileEntry

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

GROUPS_OF_A_PART = 4_096
"""Of one part, that is, mostly, of one transaction: some 200 kB in the catalog."""

GROUPS_IN_ALL = 65_536
"""Merged in memory: some 20 MB."""

Groups = Mapping[str, State]
"""Hash of a group's key, or ``NULL_GROUP`` where all key columns are null -> a state."""


@dataclass(frozen=True)
class GroupedStates:
    """One scan metric within the groups of some keys. State: :data:`Groups`, or ``None`` where there are too many."""

    keys: tuple[str, ...]
    of: ScanMetric

    @property
    def key(self) -> str:
        return f"{self.of.key} by ({', '.join(self.keys)})"

    @property
    def columns(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys([*self.keys, *self.of.columns]))

    def merge(self, left: Groups | None, right: Groups | None) -> Groups | None:
        if left is None or right is None:
            return None
        merged = dict(left)
        for group, state in right.items():
            merged[group] = self.of.merge(merged[group], state) if group in merged else state
        return merged if len(merged) <= GROUPS_IN_ALL else None

    def to_json(self, groups: Groups | None) -> Any:
        return None if groups is None else {group: self.of.to_json(state) for group, state in groups.items()}

    def from_json(self, document: Any) -> Groups | None:
        return None if document is None else {group: self.of.from_json(state) for group, state in document.items()}


@dataclass(frozen=True)
class GroupedPart:
    """Files that are grouped once by ``keys`` for what is missing of them."""

    keys: tuple[str, ...]
    files: tuple[FileEntry, ...]
    missing: tuple[GroupedStates, ...]


@dataclass(frozen=True)
class GroupedIncrements:
    """What is kept by group already, and what is left to group.

    Attributes:
        metrics: what is learned from groups, by key set.
        kept: states of disjoint sets of files.
        parts: the rest; normally one per key set, the files of the newest transaction.
    """

    metrics: tuple[tuple[KeyMetric, ...], ...]
    kept: Mapping[GroupedStates, tuple[Groups | None, ...]]
    parts: tuple[GroupedPart, ...]


def sources(together: Sequence[KeyMetric]) -> dict[KeyMetric, GroupedStates] | None:
    """What each metric of one key set is learned from; ``None`` where groups are not kept for it.

    Repeated keys alone have hashes of their own, see :mod:`mirror.checks.key_hashes`.
    """
    if all(isinstance(metric, Duplicates) for metric in together):
        return None
    keys = tuple(sorted(together[0].keys))
    found = {metric: GroupedStates(keys, of) for metric in together if (of := metric.kept_as) is not None}
    return found if len(found) == len(together) else None


@dataclass(frozen=True)
class GroupGrowth:
    """Groups what a dataset gained. The subject has ``files`` and ``part``."""

    subject: CheckSubject
    store: StateStore

    @property
    def _columns(self) -> Columns:
        return Columns(self.subject.name, self.subject.schema)

    def cover(self, key_sets: Sequence[Sequence[KeyMetric]], units: Sequence[StateUnit]) -> GroupedIncrements:
        """What is kept for these key sets, and what is missing; a key set known to have too many groups is left out."""
        everything = {identity(file): file for file in self.subject.files}
        kept: dict[GroupedStates, tuple[Groups | None, ...]] = {}
        missing: dict[tuple[tuple[str, ...], frozenset[str]], list[GroupedStates]] = {}
        metrics: list[tuple[KeyMetric, ...]] = []
        if not any(unit.files and unit.files <= everything.keys() for unit in units):
            return GroupedIncrements((), {}, ())
        for together in key_sets:
            wanted = sources(together)
            if wanted is None:
                continue
            found = {s: covered(kept_key(s.key, s.columns, self._columns), everything, units) for s in wanted.values()}
            if any(document is None for documents, _ in found.values() for document in documents):
                continue
            metrics.append(tuple(together))
            for source, (documents, left) in found.items():
                kept[source] = tuple(source.from_json(document) for document in documents)
                if left:
                    missing.setdefault((source.keys, left), []).append(source)
        parts = [
            GroupedPart(keys, tuple(everything[name] for name in sorted(left)), tuple(wanting))
            for (keys, left), wanting in missing.items()
        ]
        return GroupedIncrements(tuple(metrics), kept, tuple(parts))

    def states(self, grown: GroupedIncrements) -> dict[str, State]:
        """Metric key -> state, where there were few enough groups; every part is grouped once, and kept."""
        found = {source: list(states) for source, states in grown.kept.items()}
        for part in grown.parts:
            for source, groups in self._read(part).items():
                found[source].append(groups)
        merged = {source: reduce(source.merge, states) for source, states in found.items()}
        states: dict[str, State] = {}
        for together in grown.metrics:
            wanted = sources(together) or {}
            if all(merged[source] is not None for source in wanted.values()):
                states |= {metric.key: metric.judged(merged[source] or {}) for metric, source in wanted.items()}
        return states

    def seen(self) -> None:
        """Notes the files as seen, so that their growth is recognised next time."""
        self.store.keep(self.subject.name, StateUnit(frozenset(map(identity, self.subject.files)), {}))

    def _read(self, part: GroupedPart) -> dict[GroupedStates, Groups | None]:
        assert self.subject.part is not None  # noqa: S101 - so the class says
        frame = self.subject.part(part.files)
        rows = _grouped(frame, part).limit(GROUPS_OF_A_PART + 1)
        collected = as_one_job(rows).collect()
        found: dict[GroupedStates, Groups | None] = dict.fromkeys(part.missing)
        if len(collected) <= GROUPS_OF_A_PART:
            names = [_name(row[: len(part.keys)]) for row in collected]
            wanted = list(_aggregates(part))
            values = [dict(zip(wanted, row[len(part.keys) :], strict=True)) for row in collected]
            found = {s: dict(zip(names, map(s.of.state, values), strict=True)) for s in part.missing}
        states = {
            kept_key(source.key, source.columns, self._columns): source.to_json(groups)
            for source, groups in found.items()
        }
        self.store.keep(self.subject.name, StateUnit(frozenset(map(identity, part.files)), states))
        return found


def _aggregates(part: GroupedPart) -> dict[str, Column]:
    return {name: column for source in part.missing for name, column in source.of.aggregates().items()}


def _grouped(frame: DataFrame, part: GroupedPart) -> DataFrame:
    """One row per group: the key as JSON keeps it, then the aggregates, under names that no column has."""
    kinds = {field.name: field.dataType for field in frame.schema.fields}
    columns = [column.alias(f"·a{i}") for i, column in enumerate(_aggregates(part).values())]
    grouped = frame.groupBy(*[ref(key).alias(f"·k{i}") for i, key in enumerate(part.keys)]).agg(*columns)
    keys = [_plain(F.col(f"·k{i}"), kinds[key]).alias(f"·k{i}") for i, key in enumerate(part.keys)]
    return grouped.select(*keys, *[F.col(f"·a{i}") for i in range(len(columns))])


def _plain(column: Column, kind: T.DataType) -> Column:
    return F.base64(column) if isinstance(kind, T.BinaryType) else comparable(column, kind)


def _name(key: Sequence[Any]) -> str:
    if all(value is None for value in key):
        return NULL_GROUP
    # the two zeros are one group
    canonical = [tagged(value + 0.0 if isinstance(value, float) else value) for value in key]
    return hashlib.blake2b(json.dumps(canonical).encode(), digest_size=16).hexdigest()
