"""Lays a lineage out in layers, downwards, with few crossings. Pure: the same graph gives the same picture.

The layered method of Sugiyama, Tagawa and Toda (1981): longest-path layers, invisible waypoints where an edge skips
layers, barycentre ordering, then the horizontal places nearest to the neighbours' that keep the order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from mirror.report.snapshot import Edge

NODE_WIDTH, NODE_HEIGHT = 232, 50
WAYPOINT_WIDTH = 6
GAP_X, GAP_Y, MARGIN = 20, 46, 8
SWEEPS = 24
STRAIGHTEN = 8
"""How much more a waypoint counts than a node."""

Item = tuple[str, ...]
"""A node ``(name,)`` or a waypoint ``(source, target, layer)`` of an edge that skips layers."""


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

    A cycle (which a plan refuses, but a report must survive) is cut at its alphabetically first node; the edge that
    closes it is drawn upwards.
    """
    known = sorted(set(names))
    wanted = sorted({(e.source, e.target, e.via) for e in edges if {e.source, e.target} <= set(known)})
    links = [link for link in wanted if link[0] != link[1]]
    layer = _layers(known, links)
    ways = {(s, t): _way(s, t, layer) for s, t, _ in links}
    rows = _rows(known, ways.values(), layer)
    near = _neighbours(ways.values())
    _order(rows, near)
    centre = _centres(rows, near)
    left = min((centre[item] - _width(item) / 2 for row in rows for item in row), default=0.0)
    right = max((centre[item] + _width(item) / 2 for row in rows for item in row), default=0.0)
    x = {item: round(value - left + MARGIN, 1) for item, value in centre.items()}
    nodes = tuple(Node(n, layer[n], x[(n,)] - NODE_WIDTH / 2, MARGIN + layer[n] * (NODE_HEIGHT + GAP_Y)) for n in known)
    drawn = tuple(Link(s, t, via, _curve(ways[(s, t)], x, layer)) for s, t, via in links)
    height = 2 * MARGIN + max(len(rows), 1) * (NODE_HEIGHT + GAP_Y) - GAP_Y
    return Drawing(nodes, drawn, right - left + 2 * MARGIN, height)


def _layers(names: list[str], links: list[tuple[str, str, str]]) -> dict[str, int]:
    """Longest path from a source, then as far down as the readers allow; what stands alone goes to layer 0."""
    waiting = {name: {s for s, t, _ in links if t == name} for name in names}
    layer: dict[str, int] = {}
    while waiting:
        ready = sorted(name for name, sources in waiting.items() if not sources & waiting.keys())
        for name in ready or [min(waiting)]:
            sources = waiting.pop(name)
            layer[name] = max((layer[s] + 1 for s in sources if s in layer), default=0)
    # What is read late begins late: fewer and shorter lines past things they have nothing to do with.
    for name in sorted(names, key=lambda n: (-layer[n], n)):
        below = [layer[t] for s, t, _ in links if s == name]
        if below and min(below) - 1 > layer[name]:
            layer[name] = min(below) - 1
    return layer


def _way(source: str, target: str, layer: Mapping[str, int]) -> list[Item]:
    """The items an edge passes: its ends, and a waypoint in every layer between them."""
    between = range(layer[source] + 1, layer[target])
    return [(source,), *((source, target, str(depth)) for depth in between), (target,)]


def _rows(names: list[str], ways: Iterable[list[Item]], layer: Mapping[str, int]) -> list[list[Item]]:
    rows: list[list[Item]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for name in names:
        rows[layer[name]].append((name,))
    for way in ways:
        for item in way[1:-1]:
            rows[int(item[2])].append(item)
    return rows


def _neighbours(ways: Iterable[list[Item]]) -> dict[Item, list[Item]]:
    near: dict[Item, list[Item]] = {}
    for way in ways:
        for one, other in pairwise(way):
            near.setdefault(one, []).append(other)
            near.setdefault(other, []).append(one)
    return near


def _order(rows: list[list[Item]], near: Mapping[Item, list[Item]]) -> None:
    """Sorts each row by the mean relative place of its neighbours in the row before it, down and up in turn."""
    for sweep in range(SWEEPS):
        down = sweep % 2 == 0
        for depth in range(len(rows)) if down else reversed(range(len(rows))):
            other = rows[depth - 1] if down and depth else rows[depth + 1] if not down and depth + 1 < len(rows) else []
            place = {item: (index + 0.5) / len(other) for index, item in enumerate(other)}
            own = {item: (index + 0.5) / len(rows[depth]) for index, item in enumerate(rows[depth])}

            def mean(
                item: Item, place: Mapping[Item, float] = place, own: Mapping[Item, float] = own
            ) -> tuple[float, Item]:
                known = [place[n] for n in near.get(item, []) if n in place]
                return (sum(known) / len(known) if known else own[item], item)

            rows[depth].sort(key=mean)


def _centres(rows: list[list[Item]], near: Mapping[Item, list[Item]]) -> dict[Item, float]:
    """Centres that keep each row's order and distances and lie as near to the neighbours' mean as these allow."""
    centre: dict[Item, float] = {}
    for row in rows:
        places = _spread([0.0] * len(row), row)
        centre.update(zip(row, places, strict=True))
    for sweep in range(SWEEPS):
        for row in rows if sweep % 2 == 0 else reversed(rows):
            wanted = [_pull(item, near.get(item, []), centre) for item in row]
            centre.update(zip(row, _spread(wanted, row), strict=True))
    return centre


def _pull(item: Item, neighbours: Sequence[Item], centre: Mapping[Item, float]) -> float:
    """The neighbours' mean, waypoints counting more so that long lines run straight."""
    if not neighbours:
        return centre[item]
    weights = [STRAIGHTEN if len(n) > 1 and len(item) > 1 else 1 for n in neighbours]
    return sum(w * centre[n] for w, n in zip(weights, neighbours, strict=True)) / sum(weights)


def _spread(wanted: Sequence[float], row: Sequence[Item]) -> list[float]:
    """The centres nearest to ``wanted`` that keep the order and do not overlap: weighted isotonic regression."""
    offsets = [0.0]
    for one, other in pairwise(row):
        offsets.append(offsets[-1] + (_width(one) + _width(other) + _gap(one) + _gap(other)) / 2)
    blocks: list[tuple[float, int, int]] = []
    for value, offset, item in zip(wanted, offsets, row, strict=False):
        weight = STRAIGHTEN if len(item) > 1 else 1
        total, weights, count = weight * (value - offset), weight, 1
        while blocks and blocks[-1][0] / blocks[-1][1] >= total / weights:
            before = blocks.pop()
            total, weights, count = total + before[0], weights + before[1], count + before[2]
        blocks.append((total, weights, count))
    levels = [total / weights for total, weights, count in blocks for _ in range(count)]
    return [level + offset for level, offset in zip(levels, offsets, strict=False)]


def _gap(item: Item) -> int:
    return GAP_X if len(item) == 1 else GAP_X // 3


def _width(item: Item) -> int:
    return NODE_WIDTH if len(item) == 1 else WAYPOINT_WIDTH


def _curve(way: list[Item], x: Mapping[Item, float], layer: Mapping[str, int]) -> str:
    """From node to node in one stroke, straight through the rows between."""
    depths = [layer[way[0][0]], *(int(item[2]) for item in way[1:-1]), layer[way[-1][0]]]
    tops = [MARGIN + depth * (NODE_HEIGHT + GAP_Y) for depth in depths]
    bend = GAP_Y * 0.55
    path = f"M{x[way[0]]:g} {tops[0] + NODE_HEIGHT:g}"
    for (one, above), (other, below) in pairwise(zip(way, tops, strict=True)):
        start = above + NODE_HEIGHT
        if one != way[0]:
            path += f"V{start:g}"
        path += f"C{x[one]:g} {start + bend:g} {x[other]:g} {below - bend:g} {x[other]:g} {below:g}"
    return path
