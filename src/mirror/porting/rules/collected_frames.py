"""A frame is brought to the driver only where a comment says why it is small."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mirror.porting.rules import Finding, GuestFacts
from mirror.porting.source import Module

_COLLECTS = frozenset({"collect", "toPandas", "toLocalIterator", "pandas_api"})


def findings(module: Module, guest: GuestFacts) -> Iterator[Finding]:
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            continue
        # Spark's methods take no argument; `collect(x)` of another library is none of ours.
        if node.func.attr not in _COLLECTS or node.args:
            continue
        if not module.has_reason(node):
            problem = f"brings a whole frame to the driver (.{node.func.attr}())."
            fix = "Keep it in Spark, or say in a comment on this line or the one above why it is small."
            yield Finding(module.file, node.end_lineno or node.lineno, "collected_frames", problem, fix)
