"""No code made from text or loaded from bytes: neither review nor the logic version can see it."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mirror.porting.rules import Finding, GuestFacts
from mirror.porting.source import Module

_EVALUATE = frozenset({"eval", "exec", "compile", "builtins.eval", "builtins.exec", "builtins.compile"})
_PROCESSES = frozenset({"os.system", "os.popen", "subprocess.run", "subprocess.Popen", "subprocess.check_output"})


def findings(module: Module, guest: GuestFacts) -> Iterator[Finding]:
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.Call):
            continue
        name = module.dotted(node.func)
        if name in _EVALUATE:
            fix = "Write the code out, or choose among functions in a dict."
            yield Finding(module.file, node.lineno, "evaluated_code", f"runs code made from text ({name}).", fix)
        elif name in _PROCESSES:
            fix = "Use a library of the conda recipe."
            yield Finding(module.file, node.lineno, "evaluated_code", f"starts a process ({name}).", fix)
