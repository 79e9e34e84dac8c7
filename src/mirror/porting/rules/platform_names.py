"""No text names the platform this repository is tested on, unless a comment says why: Foundry has no such thing."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from mirror.porting.rules import Finding, GuestFacts
from mirror.porting.source import Module

_NAMES = re.compile(
    r"(^|[\s\"'`/])(\.mirror(/|$)|mirror\.[a-z_]+|MIRROR_[A-Z_]+|foundry[-_]mirror|mirror (init|build|ingest|models)\b)"
)


def findings(module: Module, guest: GuestFacts) -> Iterator[Finding]:
    documentation = _docstrings(module.tree)
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in documentation:
            continue
        if (found := _NAMES.search(node.value)) is not None and not module.has_reason(node):
            problem = f"names the local platform ({found[2]})."
            fix = "Say it in words that are true in Foundry as well, or take it from a parameter."
            yield Finding(module.file, node.lineno, "platform_names", problem, fix)


def _docstrings(tree: ast.Module) -> set[int]:
    """Constants that are documentation: nobody acts on them."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and node.body:
            first = node.body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                found.add(id(first.value))
    return found
