"""How well faults are told apart, from the test that pins the figures."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

HEADER = (
    "unit",
    "fault days",
    "fault-free days",
    "left out: trained",
    "left out: uncertain",
    "AUC by day",
    "AUC by window",
)


def detection(root: Path) -> tuple[tuple[str, ...], list[tuple[object, ...]]]:
    """Header and a row per unit."""
    path = root / "tests" / "fleet_health" / "scoring" / "test_detection.py"
    module = ast.parse(path.read_text(encoding="utf-8"))

    def pinned(test: str) -> dict[Any, Any]:
        functions = [n for n in module.body if isinstance(n, ast.FunctionDef) and n.name == test]
        nodes = [node for function in functions for node in ast.walk(function) if _is_data(node)]
        found: list[dict[Any, Any]] = [ast.literal_eval(node) for node in nodes]
        if not found:
            raise KeyError(f"{path.relative_to(root)} has no {test} that compares with a dictionary")
        return found[-1]

    areas = pinned("test_detection_is_what_it_is")
    counts = pinned("test_report_counts_days_it_may_compare")
    return HEADER, [
        (device, fault, free, trained, uncertain, areas[device, "day"], areas[device, "window"])
        for device, (fault, free, trained, uncertain) in sorted(counts.items())
    ]


def _is_data(node: ast.AST) -> bool:
    return isinstance(node, ast.Dict) and all(isinstance(v, ast.Constant | ast.Tuple) for v in node.values)
