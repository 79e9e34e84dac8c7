"""What a metric is: a value about a dataset, computed from a state that merges.

A metric is a frozen dataclass whose fields are its parameters. Its ``key`` is its identity: two checks that need the
same metric get one. Three shapes say how it is computed; the planner knows the shapes, never the kinds:

* :class:`ScanMetric` rides on the one pass over the rows that all scan metrics of a subject share;
* :class:`KeyMetric` needs the rows grouped by its keys; all metrics of one key set share that job;
* :class:`ForeignMetric` needs another dataset.

States are what a transaction leaves behind. Laws, tested over every metric found: ``merge`` is associative and
commutative, merging the states of two parts gives the state of the whole, and ``from_json(to_json(state)) == state``.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from pyspark.sql import Column

    from mirror.checks.proofs import Proofs

State = Any
"""A metric's own: numbers, text, dates, or a tuple of them."""

NULL_GROUP = "null"
"""The name of the group whose key columns are all null."""


@dataclass(frozen=True)
class Metric(ABC):
    """Root of all metrics."""

    kind: ClassVar[str]

    @property
    def key(self) -> str:
        """Identity and label in one, e.g. ``null_count(temp_c)``."""
        shown = [_shown(getattr(self, f.name)) for f in fields(self) if f.repr]
        return f"{self.kind}({', '.join(shown)})" if shown else self.kind

    @property
    @abstractmethod
    def columns(self) -> tuple[str, ...]:
        """The columns of the dataset that it reads; nothing else is."""

    @property
    def reveals(self) -> bool:
        """Whether the value may be a value of the data, which must not be shown of a sensitive column."""
        return False

    @abstractmethod
    def value(self, state: State) -> object:
        """What checks look at; ``None`` where the data have no such value."""

    def from_footers(self, proofs: Proofs) -> State | None:
        """The state as reading would give it, if the files' footers say it for certain; ``None`` if they do not."""
        return None


@dataclass(frozen=True)
class ScanMetric(Metric):
    """Aggregates without groups. Aggregates of one name are the same and are computed once."""

    @property
    def stable(self) -> bool:
        """Whether a state computed today may be used tomorrow; false for what depends on the current time."""
        return True

    def from_footers(self, proofs: Proofs) -> State | None:
        """The state as a scan would give it, if the files' footers say it for certain; ``None`` if they do not."""
        return None

    @abstractmethod
    def aggregates(self) -> dict[str, Column]:
        """Name -> Spark aggregate."""

    @abstractmethod
    def state(self, row: Mapping[str, Any]) -> State:
        """The state from the aggregates' values, by name."""

    @abstractmethod
    def merge(self, left: State, right: State) -> State:
        """The state of two disjoint parts together."""

    def to_json(self, state: State) -> Any:
        """The state as a JSON document."""
        return state

    def from_json(self, document: Any) -> State:
        """The inverse of :meth:`to_json`."""
        return document


@dataclass(frozen=True)
class KeyMetric(Metric):
    """Aggregates within the groups of some key columns, then over the groups. Null is a group of its own."""

    keys: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        return self.keys

    @abstractmethod
    def within(self) -> dict[str, Column]:
        """Name -> aggregate of one group; a name never begins with a key's."""

    @abstractmethod
    def across(self) -> dict[str, Column]:
        """Name -> aggregate over the groups, on the key columns and the names of :meth:`within`."""

    @abstractmethod
    def state(self, row: Mapping[str, Any]) -> State:
        """The state from the values of :meth:`across`, by name."""

    @property
    def kept_as(self) -> ScanMetric | None:
        """What of each group suffices to know this metric; ``None`` where no state of bounded size merges to it."""
        return None

    def judged(self, groups: Mapping[str, State]) -> State:
        """The state from those of :attr:`kept_as` by group; :data:`NULL_GROUP` is the one whose key is null."""
        raise NotImplementedError


@dataclass(frozen=True)
class ForeignMetric(Metric):
    """A value about a column and a column of another dataset of the same transform."""

    dataset: str


def _shown(parameter: Any) -> str:
    return ", ".join(map(_shown, parameter)) if isinstance(parameter, tuple) else str(parameter)
