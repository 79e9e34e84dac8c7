"""Which tests a change can touch: ``python ci/changed_tests.py COMMIT`` prints their files, or ``tests`` for all.

A test is chosen when it, a ``conftest.py`` above it, or a module that either imports (directly or not) changed. The
answer is the whole suite whenever that cannot be told: no common commit, a changed file that is no Python module (data,
templates, YAML, configuration), a module that is loaded by name, or a change of the shim or of the test session itself.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOTS = (
    "src",
    "shims/transforms-mock/src",
    "transforms-python/src",
    "tests/fleet_health/fleets",
    "tests/promotion/repositories",
    "",
)
# Whoever changes these changes every test: the session, and the pipeline, whose modules are discovered, not imported.
EVERYTHING = ("shims/", "transforms-python/", "src/mirror/spark.py", "ci/", "Makefile")
HARMLESS = (".md", ".png", "LICENSE", "NOTICE")
ALL = "tests"


def changed_since(root: Path, commit: str) -> list[str] | None:
    """Paths that differ from the last commit shared with ``commit``, also uncommitted ones; ``None`` without one."""
    base = _git(root, "merge-base", commit, "HEAD")
    if base is None:
        return None
    changed = _git(root, "diff", "--name-only", "-z", "--no-renames", base.strip())
    added = _git(root, "ls-files", "--others", "--exclude-standard", "-z")
    return None if changed is None or added is None else sorted({*changed.split("\0"), *added.split("\0")} - {""})


def chosen(root: Path, changed: Iterable[str]) -> list[str]:
    """Test files, sorted; ``[ALL]`` for the whole suite."""
    modules: set[Path] = set()
    for path in changed:
        if path.endswith(HARMLESS):
            continue
        if not path.endswith(".py") or path.startswith(EVERYTHING) or not (root / path).is_file():
            return [ALL]
        modules.add(root / path)
    if any(_found_by_listing(file) for file in modules):
        return [ALL]
    imports: dict[Path, set[Path]] = {}
    tests = sorted((root / ALL).rglob("test_*.py"))
    return [
        test.relative_to(root).as_posix()
        for test in tests
        if modules & _reached(root, [test, *_conftests(root, test)], imports)
    ]


def _found_by_listing(file: Path) -> bool:
    """Whether the module's package lists its modules: who uses it imports only the package."""
    package = file.parent / "__init__.py"
    return package.is_file() and "pkgutil.iter_modules" in package.read_text(encoding="utf-8")


def _conftests(root: Path, test: Path) -> list[Path]:
    folders = [test.parent, *test.parent.parents]
    above = [folder / "conftest.py" for folder in folders if folder.is_relative_to(root)]
    return [file for file in above if file.is_file()]


def _reached(root: Path, start: list[Path], imports: dict[Path, set[Path]]) -> set[Path]:
    found: set[Path] = set()
    pending = list(start)
    while pending:
        file = pending.pop()
        if file in found:
            continue
        found.add(file)
        if file not in imports:
            imports[file] = set(_imported(root, file))
        pending += imports[file]
    return found


def _imported(root: Path, file: Path) -> Iterable[Path]:
    tree = ast.parse(file.read_bytes(), filename=str(file))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and not node.level:
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = file.parents[node.level - 1]
            within = [f"{node.module}.{alias.name}" if node.module else alias.name for alias in node.names]
            for name in within:
                yield from _files(base, base / "x.py", name)
            continue
        elif isinstance(node, ast.Constant) and str(node.value).endswith(".py"):
            # a script that another process runs
            script = file.parent / str(node.value)
            yield from [script] if script.is_file() else []
            continue
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.count(".") > 1:
            # `monkeypatch.setattr("mirror.x.y", ...)` and the like import by name.
            names = [node.value] if node.value.replace(".", "").isidentifier() else []
        else:
            continue
        for name in names:
            yield from _files(root, file, name)


def _files(root: Path, importer: Path, dotted: str) -> Iterable[Path]:
    """The modules that importing ``dotted`` runs: every package on the way and the longest part that is a module."""
    parts = dotted.split(".")
    for base in (importer.parent, *(root / one for one in ROOTS)):
        for length in range(1, len(parts) + 1):
            place = base.joinpath(*parts[:length])
            yield from (file for file in (place.with_suffix(".py"), place / "__init__.py") if file.is_file())


def _git(root: Path, *arguments: str) -> str | None:
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
    return None if done.returncode else done.stdout


def main(arguments: list[str]) -> int:
    root = Path(__file__).resolve().parent.parent
    changed = changed_since(root, arguments[0]) if arguments else None
    sys.stdout.write("\n".join([ALL] if changed is None else chosen(root, changed)) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
