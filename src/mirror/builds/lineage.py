"""Lineage: which datasets and transforms stand before and behind one another, from published JobSpecs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mirror.builds.graph import JobGraph
from mirror.builds.specs import JobSpec


@dataclass(frozen=True)
class LineageNode:
    """A dataset or another resource. ``made_by`` is the transform's name, ``None`` for what comes from outside."""

    path: str
    kind: str
    made_by: str | None

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return dict(vars(self))


@dataclass(frozen=True)
class Lineage:
    """Nodes in an order in which data flows, and edges ``(from, transform, to)``."""

    nodes: tuple[LineageNode, ...]
    edges: tuple[tuple[str, str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        edges = [{"from": a, "transform": by, "to": b} for a, by, b in self.edges]
        return {"nodes": [node.to_json() for node in self.nodes], "edges": edges}

    def around(self, paths: Iterable[str]) -> Lineage:
        """What stands before or behind the given nodes, themselves included."""
        kept = set(paths)
        for edges in (self.edges, tuple((b, by, a) for a, by, b in self.edges)):
            reached = set(paths)
            while fresh := {a for a, _, b in edges if b in reached} - reached:
                reached |= fresh
            kept |= reached
        nodes = tuple(node for node in self.nodes if node.path in kept)
        return Lineage(nodes, tuple(e for e in self.edges if e[0] in kept and e[2] in kept))


def lineage(specs: Sequence[JobSpec]) -> Lineage:
    """The lineage of a pipeline. Raises CyclicPipelineError, TwoProducersError."""
    graph = JobGraph.of(specs)
    nodes: dict[str, LineageNode] = {}
    edges: list[tuple[str, str, str]] = []
    for spec in graph.specs:
        for param in spec.inputs:
            for path in param.aliases:
                if path not in graph.producers:
                    nodes.setdefault(path, LineageNode(path, _kind(param.kind), None))
        for param in spec.outputs:
            for path in param.aliases:
                nodes[path] = LineageNode(path, _kind(param.kind), spec.name)
        read = dict.fromkeys(path for param in spec.inputs for path in param.aliases)
        edges += [(before, spec.name, after) for after in spec.output_paths for before in read]
    return Lineage(tuple(nodes.values()), tuple(edges))


def _kind(kind: str) -> str:
    return kind.split("_", 1)[0]
