"""The graph of JobSpecs: who makes what, from what, in which order."""

from __future__ import annotations

import heapq
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from mirror.builds.errors import CyclicPipelineError, TwoProducersError, UnknownTargetError
from mirror.builds.specs import JobSpec


@dataclass(frozen=True)
class JobGraph:
    """Specs in an order in which every producer comes before its consumers.

    Attributes:
        producers: dataset path or resource alias -> reference of the job that makes it.
        upstream: reference -> references of the jobs whose outputs it reads.
    """

    specs: tuple[JobSpec, ...]
    producers: Mapping[str, str]
    upstream: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, specs: Sequence[JobSpec]) -> JobGraph:
        """Raises TwoProducersError, CyclicPipelineError."""
        by_reference = {spec.reference: spec for spec in specs}
        producers: dict[str, str] = {}
        for spec in specs:
            for path in spec.output_paths:
                if path in producers:
                    raise TwoProducersError(path, _shown(by_reference[producers[path]]), _shown(spec))
                producers[path] = spec.reference
        upstream = {}
        for spec in specs:
            read = (a for p in spec.inputs if p.branch is None for a in p.aliases)
            upstream[spec.reference] = frozenset(producers[a] for a in read if a in producers)
        return cls(tuple(_ordered(specs, upstream)), producers, upstream)

    def producer(self, target: str) -> str:
        """Reference of the job that makes ``target``: a path, the unique end of one, or a transform's name.

        Raises UnknownTargetError.
        """
        if target in self.producers:
            return self.producers[target]
        ending = {self.producers[path] for path in self.producers if path.endswith("/" + target.lstrip("/"))}
        named = {spec.reference for spec in self.specs if target in (spec.name, spec.reference)}
        found = ending or named
        if len(found) != 1:
            raise UnknownTargetError(target, tuple(sorted(self.producers)))
        return found.pop()


def _ordered(specs: Sequence[JobSpec], upstream: Mapping[str, frozenset[str]]) -> list[JobSpec]:
    """Topological, ties in declared order."""
    position = {spec.reference: at for at, spec in enumerate(specs)}
    open_edges = {reference: set(needs) for reference, needs in upstream.items()}
    downstream: dict[str, list[str]] = {}
    for reference, needs in upstream.items():
        for need in needs:
            downstream.setdefault(need, []).append(reference)
    ready = [position[reference] for reference, needs in open_edges.items() if not needs]
    heapq.heapify(ready)
    found: list[JobSpec] = []
    while ready:
        spec = specs[heapq.heappop(ready)]
        found.append(spec)
        for reference in downstream.get(spec.reference, ()):
            open_edges[reference].discard(spec.reference)
            if not open_edges[reference]:
                heapq.heappush(ready, position[reference])
    if len(found) < len(specs):
        raise _cycle({spec.reference: spec for spec in specs}, open_edges, {spec.reference for spec in found})
    return found


def _cycle(specs: Mapping[str, JobSpec], open_edges: Mapping[str, set[str]], done: set[str]) -> CyclicPipelineError:
    at = next(reference for reference in open_edges if reference not in done)
    walked: list[str] = []
    while at not in walked:
        walked.append(at)
        at = min(open_edges[at] - done)
    circle = walked[walked.index(at) :][::-1]
    datasets = []
    for made, read_by in zip(circle, [*circle[1:], circle[0]], strict=True):
        shared = {a for p in specs[read_by].inputs for a in p.aliases} & set(specs[made].output_paths)
        datasets.append(min(shared))
    first = datasets.index(min(datasets))
    datasets, circle = datasets[first:] + datasets[:first], circle[first:] + circle[:first]
    return CyclicPipelineError(tuple(datasets), tuple(_shown(specs[reference]) for reference in circle))


def _shown(spec: JobSpec) -> str:
    return f"{spec.name!r} ({spec.source})"
