"""Imports stand at module level, so that Foundry's logic version sees every module a transform depends on.

A third-party package may be imported later where a comment says why: its version counts through the recipe anyway.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mirror.porting.rules import Finding, GuestFacts
from mirror.porting.source import Module

_DYNAMIC = frozenset(
    {"importlib.import_module", "__import__", "importlib.__import__", "runpy.run_module", "runpy.run_path"}
)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def findings(module: Module, guest: GuestFacts) -> Iterator[Finding]:
    fix = "Move it to the top of the module."
    inside = {
        node.lineno: (node, scope.name)
        for scope in ast.walk(module.tree)
        if isinstance(scope, _SCOPES)
        for node in ast.walk(scope)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    imported: dict[int, set[str]] = {}
    for line, name in module.imported():
        imported.setdefault(line, set()).add(name.partition(".")[0])
    for line, (statement, name) in inside.items():
        if not imported[line] & guest.packages and module.has_reason(statement):
            continue
        problem = f"imports inside {name!r}, out of sight of the logic version."
        yield Finding(module.file, line, "module_level_imports", problem, fix)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and module.dotted(node.func) in _DYNAMIC:
            problem = f"imports through {module.dotted(node.func)}, out of sight of the logic version."
            yield Finding(module.file, node.lineno, "module_level_imports", problem, "Write an import statement.")
