"""The lineage drawing: every edge goes down, nothing overlaps, crossings are few, cycles are survived."""

from __future__ import annotations

import itertools
import re

from mirror.report.layout import GAP_X, NODE_HEIGHT, NODE_WIDTH, Drawing, layout
from mirror.report.render import lineage_groups
from mirror.report.snapshot import DatasetLine, Edge, ReportSnapshot


def _draw(*pairs: str) -> Drawing:
    edges = [Edge(*pair.split(">"), via=pair) for pair in pairs]
    return layout({end for edge in edges for end in (edge.source, edge.target)}, edges)


def _crossings(drawing: Drawing) -> int:
    x = {node.name: node.x for node in drawing.nodes}
    layer = {node.name: node.layer for node in drawing.nodes}
    pairs = itertools.combinations(drawing.links, 2)
    return sum(
        layer[a.source] == layer[b.source]
        and layer[a.target] == layer[b.target]
        and (x[a.source] - x[b.source]) * (x[a.target] - x[b.target]) < 0
        for a, b in pairs
    )


def test_every_edge_goes_down_even_past_several_layers() -> None:
    drawing = _draw("a>b", "b>c", "c>d", "a>d", "x>d")
    y = {node.name: node.y for node in drawing.nodes}
    assert all(y[link.source] < y[link.target] for link in drawing.links)
    assert {node.name: node.layer for node in drawing.nodes} == {"a": 0, "x": 2, "b": 1, "c": 2, "d": 3}


def test_nodes_of_a_layer_do_not_overlap_and_stay_on_the_canvas() -> None:
    drawing = _draw(*(f"root>{leaf}" for leaf in "abcdefg"), "a>end")
    leaves = sorted(node.x for node in drawing.nodes if node.layer == 1)
    assert all(right - left == NODE_WIDTH + GAP_X for left, right in itertools.pairwise(leaves))
    assert min(node.x for node in drawing.nodes) >= 0
    assert max(node.x for node in drawing.nodes) + NODE_WIDTH <= drawing.width
    assert max(node.y for node in drawing.nodes) + NODE_HEIGHT <= drawing.height


def test_neighbours_are_sorted_so_that_lines_do_not_cross() -> None:
    # Alphabetical order inside the layers would cross all of these.
    drawing = _draw("a>z", "b>y", "c>x", "d>w")
    assert _crossings(drawing) == 0


def test_long_lines_pass_beside_nodes_not_behind_them() -> None:
    drawing = _draw("a>b", "b>c", "c>d", "d>e", "a>e", "b>e", "a>x", "x>e")
    for link in drawing.links:
        numbers = [[float(n) for n in re.findall(r"[\d.]+", part)] for part in re.findall(r"[CV][^CV]+", link.path)]
        ends = [(part[-2], part[-1]) for part in numbers if len(part) == 6]
        for x, y in ends[:-1]:
            inside = [n.name for n in drawing.nodes if n.x < x < n.x + NODE_WIDTH and n.y <= y <= n.y + NODE_HEIGHT]
            assert inside == [], link


def test_what_is_read_late_stands_near_its_reader() -> None:
    drawing = _draw("a>b", "b>c", "c>d", "label>events", "events>d")
    layer = {node.name: node.layer for node in drawing.nodes}
    assert (layer["events"], layer["label"]) == (2, 1)


def test_curves_begin_and_end_at_the_nodes() -> None:
    drawing = _draw("a>b")
    a, b = drawing.nodes
    numbers = [float(n) for n in re.findall(r"[\d.]+", drawing.links[0].path)]
    assert numbers[:2] == [a.x + NODE_WIDTH / 2, a.y + NODE_HEIGHT]
    assert numbers[-2:] == [b.x + NODE_WIDTH / 2, b.y]


def test_a_cycle_and_a_self_edge_do_not_hang() -> None:
    drawing = _draw("a>b", "b>c", "c>a", "a>a")
    assert len(drawing.nodes) == 3
    assert all(link.source != link.target for link in drawing.links)


def test_order_of_input_does_not_matter() -> None:
    pairs = ("a>b", "a>c", "b>d", "c>d", "e>c")
    assert _draw(*pairs) == _draw(*reversed(pairs))


def test_one_picture_per_connected_part_named_by_the_shared_folder() -> None:
    lines = tuple(DatasetLine(f"/F/{name}", 1, 1, 1, 1) for name in ("x/a", "x/b", "y/c", "alone"))
    edges = (Edge("/F/x/a", "/F/x/b", "t"), Edge("/F/y/c", "/F/y/models/m", "u"))
    groups = lineage_groups(ReportSnapshot("w", "master", datasets=lines, edges=edges))
    assert groups == [("/F/x", {"/F/x/a", "/F/x/b"}), ("/F/y", {"/F/y/c", "/F/y/models/m"})]
