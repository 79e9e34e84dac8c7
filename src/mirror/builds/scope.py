"""Which jobs a build is about: Foundry's build types *full*, *single* and *connecting*.

Source: Foundry documentation, building-pipelines/create-schedule and data-integration/builds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mirror.builds.errors import NoPathError, ScopeError
from mirror.builds.graph import JobGraph
from mirror.builds.specs import JobSpec


@dataclass(frozen=True)
class Scope:
    """What was asked for.

    Attributes:
        targets: what shall be made, with everything it needs; nothing means the whole pipeline.
        sources: with these only the jobs between them (exclusive) and the targets (inclusive): a connecting build. A
            leg that runs through an input pinned to another branch is no way.
        ignored: neither built nor looked beyond.
        only: the targets alone.

    Raises:
        ScopeError: ``sources`` or ``only`` without targets, or both.
    """

    targets: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    ignored: tuple[str, ...] = ()
    only: bool = False

    def __post_init__(self) -> None:
        if (self.sources or self.only) and not self.targets:
            raise ScopeError("name the TARGETs of a connecting build, or of one that builds nothing else")
        if self.sources and self.only:
            raise ScopeError("a build is either of its TARGETs alone or of what connects other datasets with them")

    @classmethod
    def of(cls, asked: Sequence[str] | Scope) -> Scope:
        """Bare targets are a full build."""
        return asked if isinstance(asked, Scope) else cls(tuple(asked))

    def select(self, graph: JobGraph) -> tuple[JobSpec, ...]:
        """The jobs in an order in which producers come first.

        Raises UnknownTargetError, NoPathError where nothing leads from a source to a target.
        """
        if self == Scope():
            return graph.specs
        ignored = {graph.producer(name) for name in self.ignored}
        targets = [graph.producer(name) for name in self.targets] or [spec.reference for spec in graph.specs]
        wanted = set(targets) - ignored
        if not self.only:
            wanted = _upstream(graph, wanted, ignored)
        if self.sources:
            wanted &= self._downstream(graph, wanted)
        return tuple(spec for spec in graph.specs if spec.reference in wanted)

    def _downstream(self, graph: JobGraph, within: set[str]) -> set[str]:
        inside = [spec for spec in graph.specs if spec.reference in within]
        found: set[str] = set()
        for source in self.sources:
            reached: set[str] = set()
            start = graph.producer(source) if source in graph.producers else None
            for spec in inside:
                read = {alias for param in spec.inputs if param.branch is None for alias in param.aliases}
                if (
                    source in read
                    or start in graph.upstream[spec.reference]
                    or graph.upstream[spec.reference] & reached
                ):
                    reached.add(spec.reference)
            if not reached & {graph.producer(target) for target in self.targets}:
                raise NoPathError(source, self.targets)
            found |= reached
        return found


def _upstream(graph: JobGraph, start: Iterable[str], ignored: set[str]) -> set[str]:
    wanted = set(start)
    todo = list(wanted)
    while todo:
        fresh = graph.upstream[todo.pop()] - wanted - ignored
        wanted |= fresh
        todo.extend(fresh)
    return wanted
