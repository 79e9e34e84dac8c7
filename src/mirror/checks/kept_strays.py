"""Values proved to have a counterpart stay proved while the other dataset only grows: then new rows alone are compared.

Kept is one fact per set of files: none of their values was without counterpart, and in which files of the other
dataset the counterparts were looked for. It holds while all of those are still in the other dataset's view.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

from mirror.checks.columns import Columns
from mirror.checks.metrics.foreign_values import ForeignValues
from mirror.checks.states import StateStore, StateUnit, covered, identity, kept_key
from mirror.checks.subject import CheckSubject
from transforms.ports import FileEntry

MOST_FILES = 4_096
"""Of the other dataset; with more, all rows are compared again."""


@dataclass(frozen=True)
class KeptStrays:
    """What was proved about one dataset's values. The subject has ``files`` and ``part``."""

    subject: CheckSubject
    store: StateStore

    def left(self, metric: ForeignValues, units: Sequence[StateUnit]) -> tuple[FileEntry, ...]:
        """The files whose values are still to be compared."""
        everything = {identity(file): file for file in self.subject.files}
        known = set(self._reference(metric))
        key = self._key(metric)
        proved = [unit for unit in units if key in unit.states and known.issuperset(unit.states[key])]
        _, left = covered(key, everything, proved if known else ())
        return tuple(everything[name] for name in sorted(left))

    def keep(self, metric: ForeignValues, files: Sequence[FileEntry]) -> None:
        """Notes that no value of these files is without counterpart."""
        if files and (known := self._reference(metric)):
            unit = StateUnit(frozenset(map(identity, files)), {self._key(metric): known})
            self.store.keep(self.subject.name, unit)

    def _key(self, metric: ForeignValues) -> str:
        other = self.subject.references[metric.dataset]
        kind = Columns(other.name, other.schema)[metric.foreign_column].dataType.simpleString()
        columns = Columns(self.subject.name, self.subject.schema)
        return kept_key(f"{metric.key} in {other.name}|{kind}", metric.columns, columns)

    def _reference(self, metric: ForeignValues) -> list[str]:
        """Names of the other dataset's files; none where its rows may come from elsewhere."""
        files = self.subject.references[metric.dataset].files
        if len(files) > MOST_FILES:
            return []
        return sorted(hashlib.blake2b(identity(file).encode(), digest_size=8).hexdigest() for file in files)
