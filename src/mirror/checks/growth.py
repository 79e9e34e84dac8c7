"""Completes kept states with those of new files, and keeps these for the next time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property, reduce

from mirror.checks.columns import Columns
from mirror.checks.known_footers import known_footers
from mirror.checks.metrics.base import ScanMetric, State
from mirror.checks.proofs import Proofs
from mirror.checks.scan import scan_states
from mirror.checks.states import Increments, Part, StateStore, StateUnit, identity, increments, state_key
from mirror.checks.subject import CheckSubject


@dataclass(frozen=True)
class Growth:
    """Reads what a dataset gained. The subject has ``files`` and ``part``."""

    subject: CheckSubject
    store: StateStore
    now: datetime

    @property
    def _columns(self) -> Columns:
        return Columns(self.subject.name, self.subject.schema)

    def cover(self, metrics: list[ScanMetric]) -> Increments:
        """What is kept of these metrics for the subject's files, and what is missing; footers are looked at."""
        found = increments(metrics, self.subject.files, self._columns, self._all_units)
        return Increments(found.kept, tuple(self._settle(part) for part in found.parts))

    @cached_property
    def units(self) -> Sequence[StateUnit]:
        """What is kept of the subject and of nothing that its view no longer holds."""
        everything = {identity(file) for file in self.subject.files}
        return [unit for unit in self._all_units if unit.files <= everything]

    @cached_property
    def _all_units(self) -> Sequence[StateUnit]:
        return self.store.units(self.subject.name)

    def states(self, grown: Increments) -> dict[str, State]:
        """Metric key -> the state of all files; every part is read once, footers first, and kept."""
        found = {metric: list(states) for metric, states in grown.kept.items()}
        for part in grown.parts:
            for metric, state in self._read(part).items():
                found[metric].append(state)
        return {metric.key: reduce(metric.merge, states) for metric, states in found.items()}

    def keep(self, part: Part, found: Mapping[ScanMetric, State]) -> None:
        """Keeps the states of a part's files."""
        states = {state_key(metric, self._columns): metric.to_json(state) for metric, state in found.items()}
        self.store.keep(self.subject.name, StateUnit(frozenset(map(identity, part.files)), states))

    def _settle(self, part: Part) -> Part:
        footers = known_footers(self.subject.name, part.files, self.subject.inside, self.store)
        if footers is None:
            return part
        proofs = Proofs(self._columns, footers, self.now)
        settled = {m: state for m in part.metrics if (state := m.from_footers(proofs)) is not None}
        return replace(part, settled=settled, told=footers.told)

    def _read(self, part: Part) -> dict[ScanMetric, State]:
        settled = dict(part.settled)
        settled |= self._scan(part, part.unsettled)
        self.keep(part, settled)
        return settled

    def _scan(self, part: Part, metrics: Sequence[ScanMetric]) -> dict[ScanMetric, State]:
        if not metrics or self.subject.part is None:
            return {}
        states = scan_states(self.subject.part(part.files), metrics)
        return {metric: states[metric.key] for metric in metrics}
