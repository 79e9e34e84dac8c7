"""Lays a lineage out in layers, downwards, with few crossings. Pure: the same graph gives the same picture."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mirror.report.snapshot import Edge

NODE_WIDTH, NODE_HEIGHT = 232, 50
GAP_X, GAP_Y, MARGIN = 20, 44, 8
SWEEPS = 6


@dataclass(frozen=True)
class Node:
    """A placed node; ``x`` and ``y`` are its upper left corner in pixels."""

    name: str
    layer: int
    x: float
    y: float


@dataclass(frozen=True)
class Link:
    """A curve from the lower side of one node to the upper side of another, as an SVG path."""

    source: str
    target: str
    via: str
    path: str


@dataclass(frozen=True)
class Drawing:
    """A laid-out lineage and the size of its canvas in pixels."""

    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    width: float
    height: float


def layout(names: Iterable[str], edges: Iterable[Edge]) -> Drawing:
    """Places ``names`` so that every edge goes down; edges to unknown names and to oneself are left out.

    A cycle (which a plan refuses, but a report must survive) is cut at its alphabetically last node.
    """
    known = sorted(set(names))
    links = sorted({(e.source, e.target, e.via) for e in edges if {e.source, e.target} <= set(known)})
    links = [link for link in links if link[0] != link[1]]
    layer = _layers(known, links)
    order = _ordered(known, links, layer)
    widest = max((len(row) for row in order.values()), default=0)
    nodes = {}
    for depth, row in order.items():
        aside = (widest - len(row)) * (NODE_WIDTH + GAP_X) / 2
        for place, name in enumerate(row):
            x = MARGIN + aside + place * (NODE_WIDTH + GAP_X)
            nodes[name] = Node(name, depth, x, MARGIN + depth * (NODE_HEIGHT + GAP_Y))
    drawn = tuple(Link(s, t, via, _curve(nodes[s], nodes[t])) for s, t, via in links)
    width = 2 * MARGIN + max(widest, 1) * (NODE_WIDTH + GAP_X) - GAP_X
    height = 2 * MARGIN + max(len(order), 1) * (NODE_HEIGHT + GAP_Y) - GAP_Y
    return Drawing(tuple(nodes[name] for name in known), drawn, width, height)


def _layers(names: list[str], links: list[tuple[str, str, str]]) -> dict[str, int]:
    """Longest path from a source; what stands alone goes to layer 0."""
    waiting = {name: {s for s, t, _ in links if t == name} for name in names}
    layer: dict[str, int] = {}
    while waiting:
        ready = sorted(name for name, sources in waiting.items() if not sources & waiting.keys())
        for name in ready or [min(waiting)]:
            sources = waiting.pop(name)
            layer[name] = max((layer[s] + 1 for s in sources if s in layer), default=0)
    return layer


def _ordered(names: list[str], links: list[tuple[str, str, str]], layer: Mapping[str, int]) -> dict[int, list[str]]:
    """Names per layer, sorted again and again by the mean place of their neighbours (barycentre heuristic)."""
    rows: dict[int, list[str]] = {depth: [] for depth in range(max(layer.values(), default=-1) + 1)}
    for name in names:
        rows[layer[name]].append(name)
    neighbours = {name: [t for s, t, _ in links if s == name] + [s for s, t, _ in links if t == name] for name in names}
    for sweep in range(SWEEPS):
        for depth in sorted(rows, reverse=bool(sweep % 2)):
            place = {name: index - len(row) / 2 for row in rows.values() for index, name in enumerate(row)}

            def centre(name: str, place: Mapping[str, float] = place) -> tuple[float, str]:
                near = neighbours[name]
                return (sum(place[n] for n in near) / len(near) if near else place[name], name)

            rows[depth].sort(key=centre)
    return rows


def _curve(source: Node, target: Node) -> str:
    x1, y1 = source.x + NODE_WIDTH / 2, source.y + NODE_HEIGHT
    x2, y2 = target.x + NODE_WIDTH / 2, target.y
    bend = max(GAP_Y / 2, (y2 - y1) / 2)
    return f"M{x1:g} {y1:g}C{x1:g} {y1 + bend:g} {x2:g} {y2 - bend:g} {x2:g} {y2:g}"
