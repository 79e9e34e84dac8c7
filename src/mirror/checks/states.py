"""Metric states that outlive an evaluation, so that a dataset that grows is checked whole at the cost of its new rows.

A unit is a set of files that were read together and the states their rows gave. Files never change, so it stays true;
what changes is the view. A unit counts while all its files are in the view: a DELETE or an UPDATE that takes one of
them away silences that unit alone, whose other files are then read again, and a SNAPSHOT leaves none standing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from mirror.checks.columns import Columns
from mirror.checks.hash_marks import Marks
from mirror.checks.metrics.base import ScanMetric, State
from transforms.ports import FileEntry

FORM = 1
"""Raised when a metric's meaning or stored form changes; older states are then left alone."""


@dataclass(frozen=True)
class StateUnit:
    """States of the rows of some files together. ``states`` maps :func:`state_key` to the metric's JSON form."""

    files: frozenset[str]
    states: Mapping[str, Any]


@dataclass(frozen=True)
class KeyUnit:
    """The keys of some files together, all different.

    Attributes:
        way: names columns and hash function.
        limits: between which whole numbers a key column lies, for columns that have such and no null.
    """

    files: frozenset[str]
    way: str
    limits: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def may_share_keys_with(self, other: KeyUnit) -> bool:
        """Not where some column lies elsewhere altogether."""
        both = self.limits.keys() & other.limits.keys()
        return all(
            self.limits[key][0] <= other.limits[key][1] and other.limits[key][0] <= self.limits[key][1] for key in both
        )


class StateStore(Protocol):
    """Keeps units by dataset. Units of one dataset may overlap; nothing is ever changed in place."""

    def units(self, dataset: str) -> Sequence[StateUnit]:
        """All units of a dataset, in the order they were kept."""

    def keep(self, dataset: str, unit: StateUnit) -> None:
        """Adds a unit; states of the same files join what was kept of them."""

    def facts(self, dataset: str, form: str, files: Sequence[str]) -> Mapping[str, Any]:
        """What footers said: :func:`identity` of a file -> its facts; nothing of files that are not known."""

    def keep_facts(self, dataset: str, form: str, facts: Mapping[str, Any]) -> None:
        """Adds facts about files; those of one form never change."""

    def key_units(self, dataset: str, way: str) -> Sequence[KeyUnit]:
        """Of which files of a dataset key hashes were made in that way."""

    def key_marks(self, dataset: str, unit: KeyUnit) -> Marks:
        """The marks of the hashes of a unit."""

    def key_rests(self, dataset: str, unit: KeyUnit) -> bytes:
        """What the marks of a unit leave of its hashes."""

    def keep_keys(self, dataset: str, unit: KeyUnit, marks: Marks, rests: bytes, current: frozenset[str]) -> None:
        """Adds key hashes: their marks, and ``rests``, which is what the marks leave.

        Those made in the same way of files that are not all among ``current`` go.
        """


@dataclass(frozen=True)
class Part:
    """Files whose states are still missing, and for which metrics."""

    files: tuple[FileEntry, ...]
    metrics: tuple[ScanMetric, ...]
    settled: Mapping[ScanMetric, State] = field(default_factory=dict)
    """What the footers of the files say; the other metrics take a scan."""
    told: str = ""
    """Where the footers came from, in words."""

    @property
    def unsettled(self) -> tuple[ScanMetric, ...]:
        """The metrics that take a scan of the files."""
        return tuple(metric for metric in self.metrics if metric not in self.settled)


@dataclass(frozen=True)
class Increments:
    """What is kept already and what is left to read.

    Attributes:
        kept: metric -> states of disjoint sets of files.
        parts: the rest; normally one, the files of the newest transaction.
    """

    kept: Mapping[ScanMetric, tuple[State, ...]]
    parts: tuple[Part, ...]


def identity(file: FileEntry) -> str:
    """What makes a file the same file: where it lies and how long it is."""
    return f"{file.location}|{file.size}"


def state_key(metric: ScanMetric, columns: Columns) -> str:
    """A metric's key and the types it was computed on."""
    return kept_key(metric.key, metric.columns, columns)


def kept_key(key: str, reads: Iterable[str], columns: Columns) -> str:
    """Under what something is kept that was computed from these columns."""
    kinds = ",".join(columns[name].dataType.simpleString() for name in reads)
    return f"{FORM}|{key}|{kinds}"


def covered(key: str, files: Collection[str], units: Sequence[StateUnit]) -> tuple[list[Any], frozenset[str]]:
    """What is kept under ``key`` of disjoint sets of these files, larger ones first, and the files left."""
    usable = sorted((u for u in units if key in u.states and u.files), key=lambda u: -len(u.files))
    documents, left = [], set(files)
    for unit in usable:
        if unit.files <= left:
            documents.append(unit.states[key])
            left -= unit.files
    return documents, frozenset(left)


YOUNG_FOLDERS = 8
"""So many of a dataset's folders, the last by name, are read again one by one: where folders are days, a week."""


def read_together(
    left: Collection[str], files: Mapping[str, FileEntry], seen: Collection[str]
) -> list[tuple[str, ...]]:
    """Which of the files that are left, by :func:`identity`, are read in one pass and kept as one unit.

    Files that nobody has seen yet form one part. In a dataset of several folders, though, a unit in which a file was
    replaced would take all its other files with it: so what is to be read once more is read folder by folder, and old
    folders stay apart from the last ones, which are those that change.

    Args:
        left: files without states.
        files: all files of the view.
        seen: files that were read before, in units that no longer count.
    """
    folders = sorted({file.path.rpartition("/")[0] for file in files.values()})
    if len(folders) == 1:
        return [tuple(sorted(left))]
    young = set(folders[-YOUNG_FOLDERS:])
    parts: dict[tuple[str, str], list[str]] = {}
    for name in sorted(left):
        folder = files[name].path.rpartition("/")[0]
        which = ("old", "") if folder not in young else ("again", folder) if name in seen else ("new", "")
        parts.setdefault(which, []).append(name)
    return [tuple(names) for names in parts.values()]


def increments(
    metrics: Iterable[ScanMetric], files: Sequence[FileEntry], columns: Columns, units: Sequence[StateUnit]
) -> Increments:
    """Covers the files with kept units, metric by metric; larger units first, none twice.

    ``units`` are all that are kept of the dataset; those with a file that is not among ``files`` do not count.
    """
    by_identity = {identity(file): file for file in files}
    everything = frozenset(by_identity)
    seen = frozenset[str]().union(*(unit.files for unit in units))
    usable = [unit for unit in units if unit.files <= everything]
    kept: dict[ScanMetric, tuple[State, ...]] = {}
    missing: dict[frozenset[str], list[ScanMetric]] = {}
    for metric in metrics:
        documents, left = covered(state_key(metric, columns), everything, usable)
        kept[metric] = tuple(metric.from_json(document) for document in documents)
        if left:
            missing.setdefault(left, []).append(metric)
    parts = tuple(
        Part(tuple(by_identity[name] for name in names), tuple(wanting))
        for left, wanting in missing.items()
        for names in read_together(left, by_identity, seen)
    )
    return Increments(kept, parts)
