"""Edges between datasets and models, from published JobSpecs."""

from __future__ import annotations

from collections.abc import Iterable

from mirror.builds.specs import JobSpec
from mirror.report.snapshot import Edge

_RESOURCES = ("dataset_", "model_")


def models_of(specs: Iterable[JobSpec]) -> tuple[str, ...]:
    """Paths of the models that transforms read or write."""
    params = (param for spec in specs for param in spec.params if param.kind.startswith("model_"))
    return tuple(sorted({alias for param in params for alias in param.aliases}))


def edges_of(specs: Iterable[JobSpec]) -> tuple[Edge, ...]:
    """Every (read, written) pair of every transform, ordered. A plain parameter is no resource and makes no edge."""
    found = {
        Edge(source, target, spec.name)
        for spec in specs
        for read in spec.inputs
        if read.kind.startswith(_RESOURCES)
        for written in spec.outputs
        if written.kind.startswith(_RESOURCES)
        for source in read.aliases
        for target in written.aliases
    }
    return tuple(sorted(found, key=lambda edge: (edge.source, edge.target, edge.via)))
