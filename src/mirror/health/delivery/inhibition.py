"""What follows from something else: a stalled input explains whatever is made from it, along the lineage."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from mirror.builds.specs import JobSpec
from mirror.health.delivery.concerns import Concern
from mirror.health.routing import QUALITY, Inhibition, rank

Lineage = Mapping[str, frozenset[str]]
"""Dataset -> the datasets that are made from it directly."""


def lineage(specs: Iterable[JobSpec]) -> Lineage:
    """What each dataset is read for."""
    found: dict[str, frozenset[str]] = {}
    for spec in specs:
        made = frozenset(spec.output_paths)
        for param in spec.inputs:
            if param.kind.startswith("dataset_"):
                for alias in param.aliases:
                    found[alias] = found.get(alias, frozenset()) | made
    return found


def consequences(concerns: Sequence[Concern], graph: Lineage, rules: Iterable[Inhibition]) -> dict[str, Concern]:
    """Alert id -> the alert it follows from: the farthest upstream, of those the most severe.

    Only quality alerts explain each other, nothing is explained by something less severe than itself, and two alerts
    on a cycle do not silence each other.
    """
    by_family: dict[str, frozenset[str]] = {}
    for rule in rules:
        by_family[rule.family] = by_family.get(rule.family, frozenset()) | rule.silences
    quality = [one for one in concerns if one.kind == QUALITY]
    causes = [one for one in quality if one.family in by_family]
    below = {path: _below(path, graph) for path in {one.subject for one in causes}}
    found: dict[str, Concern] = {}
    for concern in quality:
        above = [
            cause
            for cause in causes
            if concern.subject in below[cause.subject]
            and cause.subject not in below.get(concern.subject, frozenset())
            and concern.family in by_family[cause.family]
            and rank(cause.severity) >= rank(concern.severity)
        ]
        if above:
            # The farthest upstream has most below it.
            found[concern.id] = max(above, key=lambda one: (len(below[one.subject]), rank(one.severity), one.id))
    return found


def _below(path: str, graph: Lineage) -> frozenset[str]:
    seen: set[str] = set()
    todo = [path]
    while todo:
        for made in graph.get(todo.pop(), frozenset()):
            if made not in seen:
                seen.add(made)
                todo.append(made)
    return frozenset(seen)
