"""Nothing depends on environment variables, arguments or the working directory: Foundry sets none for a transform."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from mirror.porting.rules import Finding, GuestFacts
from mirror.porting.source import Module

_READS = frozenset(
    {"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.getcwd", "sys.argv", "socket.gethostname"}
)


def findings(module: Module, guest: GuestFacts) -> Iterator[Finding]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute | ast.Name) and (name := module.dotted(node)) in _READS:
            fix = "Declare it: a parameter of the transform, a dataset, or a YAML file in the package."
            yield Finding(module.file, node.lineno, "environment_reads", f"reads {name}.", fix)
