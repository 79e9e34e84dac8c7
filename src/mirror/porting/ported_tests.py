"""Which tests go along: those that need nothing but what Foundry's checks provide."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mirror.porting.source import Module

_TOOLS = frozenset({"pytest", "chispa"})


@dataclass(frozen=True)
class PortedTests:
    """``files``: path below ``src/test`` -> text. ``left_behind``: one line per test file that stays."""

    files: dict[str, str]
    left_behind: list[str]


def ported_tests(
    tests: Path, packages: Iterable[str], available: Iterable[str], provided: Iterable[str]
) -> PortedTests:
    """The tests in ``tests/<package>/`` for each package, divided into those that can run there and those that cannot.

    Args:
        tests: the repository's folder of tests; may be missing.
        packages: guest packages the tree is made for.
        available: dotted names of all guest modules in the tree.
        provided: import names of the environment.
    """
    modules = frozenset(available)
    allowed = frozenset(provided) | _TOOLS
    files: dict[str, str] = {}
    left: list[str] = []
    for package in sorted(packages):
        folder = tests / package
        candidates = {path: _module(path, tests) for path in sorted(folder.rglob("*.py"))}
        reasons = {path: _reason(module, modules, allowed) for path, module in candidates.items()}
        for path, module in candidates.items():
            # A test sees the fixtures of every conftest.py above it.
            above = [p for p in reasons if p.name == "conftest.py" and path.is_relative_to(p.parent)]
            inherited = (reasons[p].replace("it ", "its conftest.py ", 1) for p in above if reasons[p])
            reason = reasons[path] or next(inherited, "")
            if not reason:
                files[module.file] = module.text
            elif path.name != "conftest.py":
                left.append(f"`{tests.name}/{module.file}`: {reason}")
    return PortedTests(files, left)


def _module(path: Path, tests: Path) -> Module:
    file = path.relative_to(tests).as_posix()
    return Module(file, file.removesuffix(".py").replace("/", "."), path.read_text(encoding="utf-8"))


def _reason(module: Module, modules: frozenset[str], allowed: frozenset[str]) -> str:
    """Why a file cannot go along, as a sentence about it; empty when it can."""
    tops = {name.partition(".")[0] for name in modules}
    for _, name in module.imported():
        top = name.partition(".")[0]
        if top in tops:
            if name not in modules and name.rpartition(".")[0] not in modules:
                return f"it imports `{name}`, which lies in the other repository"
        elif top not in allowed:
            return f"it imports `{top}`"
    if any(name == "__file__" for name in _names(module)):
        return "it reads files beside itself (`__file__`)"
    return ""


def _names(module: Module) -> Iterable[str]:
    import ast

    return (node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name))
