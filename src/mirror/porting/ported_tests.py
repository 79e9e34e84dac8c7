"""Which tests go along: those that need nothing but what Foundry's checks provide."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mirror.porting.source import Module

_TOOLS = frozenset({"pytest", "chispa"})
_CONFTEST = "conftest.py"
_ALWAYS = "(every test)"


@dataclass(frozen=True)
class PortedTests:
    """``files``: path below ``src/test`` -> text. ``left_behind``: one line per test file that stays."""

    files: dict[str, str]
    left_behind: list[str]


def ported_tests(
    tests: Path, packages: Iterable[str], available: Iterable[str], provided: Iterable[str], *, whole: str
) -> PortedTests:
    """The tests in folders called like a package, divided into those that can run there and those that cannot.

    A helper module that they import goes along when it can, into ``src/test`` itself, where every test can import it.
    Where a conftest.py stays, only the tests that use its fixtures stay with it.

    Args:
        tests: the repository's folder of tests; may be missing.
        packages: guest packages the tree is made for.
        available: dotted names of all guest modules in the tree.
        provided: import names of the environment.
        whole: the module of the whole pipeline, whose place in the tree another one takes.
    """
    modules, allowed = frozenset(available), frozenset(provided) | _TOOLS
    found = _found(tests, packages)
    helpers = {path.stem: path for path in found if not path.name.startswith("test_") and path.name != _CONFTEST}
    reasons: dict[Path, str] = {}
    # What a helper imports may be a helper as well: those that cannot go along take others with them.
    going: set[str] = set(helpers)
    while True:
        reasons = {path: _reason(module, modules, allowed | going, whole) for path, module in found.items()}
        staying = {name for name in going if reasons[helpers[name]]}
        if not staying:
            break
        going -= staying
    # The tree has a conftest.py of its own, which stands for what this fixture gives.
    reasons[tests / _CONFTEST] = "it is the repository's own"
    kept = {tests / _CONFTEST: _fixtures(found[tests / _CONFTEST]) - {"spark"}} if tests / _CONFTEST in found else {}
    files: dict[str, str] = {}
    left: list[str] = []
    waiting: list[Module] = []
    for path in sorted(found, key=lambda path: (path.name != _CONFTEST, len(path.parts), path)):
        module = found[path]
        reason = reasons[path] or _of_fixtures(path, module, kept)
        if path.name == _CONFTEST and reason:
            kept.setdefault(path, _fixtures(module))
        elif not reason and not (path.stem in going and path == helpers[path.stem]):
            files[module.file] = module.text
            waiting.append(module)
        elif path.stem not in helpers:
            left.append(f"`{tests.name}/{module.file}`: {reason}")
    # Of the helpers those that something imports which goes along.
    while waiting:
        for _, name in waiting.pop().imported():
            helper = name.partition(".")[0]
            if helper in going and f"{helper}.py" not in files:
                waiting.append(found[helpers[helper]])
                files[f"{helper}.py"] = waiting[-1].text
    return PortedTests(files, sorted(left))


def _found(tests: Path, packages: Iterable[str]) -> dict[Path, Module]:
    """What lies in the packages' folders, the conftest.py files above them, and the helpers from anywhere else."""
    folders = [path for package in sorted(packages) for path in sorted(tests.rglob(package)) if path.is_dir()]
    found = {path: _module(path, tests) for folder in folders for path in sorted(folder.rglob("*.py"))}
    for above in {parent for folder in folders for parent in folder.parents if parent.is_relative_to(tests)} | {tests}:
        if (above / _CONFTEST).is_file():
            found[above / _CONFTEST] = _module(above / _CONFTEST, tests)
    elsewhere = {
        path.stem: path
        for path in sorted(tests.rglob("*.py"))
        if path not in found and path.name != _CONFTEST and not path.name.startswith("test_")
    }
    waiting = list(found.values())
    while waiting:
        for _, name in waiting.pop().imported():
            helper = elsewhere.pop(name.partition(".")[0], None)
            if helper is not None:
                found[helper] = _module(helper, tests)
                waiting.append(found[helper])
    return found


def _of_fixtures(path: Path, module: Module, kept: Mapping[Path, frozenset[str]]) -> str:
    """Why a file cannot go along without the fixtures of conftest.py files above it that stay; empty when it can."""
    names = {node.arg for node in ast.walk(module.tree) if isinstance(node, ast.arg)}
    names |= {
        node.value for node in ast.walk(module.tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    own = _fixtures(module)
    for conftest, fixtures in kept.items():
        if path != conftest and path.is_relative_to(conftest.parent):
            if _ALWAYS in fixtures:
                return "a conftest.py above it that stays has a fixture for every test"
            if used := sorted(fixtures & names - own):
                return f"it uses the fixture {used[0]!r} of a conftest.py that stays"
    return ""


def _fixtures(module: Module) -> frozenset[str]:
    """Names of the fixtures that a file defines; one for every test adds :data:`_ALWAYS`."""
    found = set()
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.FunctionDef):
            continue
        for text in map(ast.unparse, node.decorator_list):
            if "fixture" in text:
                found |= {node.name, _ALWAYS} if "autouse=True" in text else {node.name}
    return frozenset(found)


def _module(path: Path, tests: Path) -> Module:
    file = path.relative_to(tests).as_posix()
    return Module(file, file.removesuffix(".py").replace("/", "."), path.read_text(encoding="utf-8"))


def _reason(module: Module, modules: frozenset[str], allowed: frozenset[str], whole: str) -> str:
    """Why a file cannot go along, as a sentence about it; empty when it can."""
    tops = {name.partition(".")[0] for name in modules}
    for _, name in module.imported():
        top = name.partition(".")[0]
        if name == whole or name.startswith(f"{whole}."):
            return "it imports the whole pipeline, of which this tree is a part"
        if top in tops:
            if name not in modules and name.rpartition(".")[0] not in modules:
                return f"it imports `{name}`, which lies in the other repository"
        elif top not in allowed:
            return f"it imports `{top}`"
    if any(name == "__file__" for name in _names(module)):
        return "it reads files beside itself (`__file__`)"
    return ""


def _names(module: Module) -> Iterable[str]:
    return (node.id for node in ast.walk(module.tree) if isinstance(node, ast.Name))
