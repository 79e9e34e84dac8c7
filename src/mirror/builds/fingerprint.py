"""What a transform's result depends on besides its inputs, as one hash.

Covers the module of the compute function, every module of the repository that it imports (directly or not), the
values its closure and defaults hold (also through functions), data files beside those modules, the repository's pinned
dependencies, and what is declared. What ``build.gradle`` says about logic versions (see :mod:`mirror.builds.tllv`) is
honoured. A package whose ``__init__.py`` says ``CARRIED_BY_TRANSFORMS = ("*.yaml",)`` promises that what such files
beside it hold reaches a transform only as a value of its closure: these files then do not count as files.
Comments, docstrings and formatting do not count.
"""

from __future__ import annotations

import ast
import dataclasses
import functools
import hashlib
import inspect
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mirror.builds.tllv import LogicVersioning, logic_versioning

_DATA_SUFFIXES = frozenset({".yaml", ".yml", ".json", ".csv", ".toml", ".txt", ".sql"})
_SKIPPED = frozenset({"__pycache__", ".git", ".pytest_cache", ".mypy_cache", ".ruff_cache"})
_CARRIED = "CARRIED_BY_TRANSFORMS"
_PINS = ("conda_recipe/meta.yaml", "requirements.txt", "requirements.lock")


def tree_fingerprint(source_root: Path) -> str:
    """Of all files below a source root, its pinned dependencies and what else counts as logic: the same text means the
    same specs.
    """
    digest = hashlib.sha256()
    for file in sorted(_files(source_root)):
        digest.update(f"{file.relative_to(source_root).as_posix()}\0".encode())
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    digest.update(pinned_dependencies(source_root).encode())
    digest.update(_further(logic_versioning(source_root), source_root).encode())
    return digest.hexdigest()


def _further(versioning: LogicVersioning, source_root: Path) -> str:
    """Hash of how versions are made and of the files that ``tllvFiles`` names; empty for Foundry's defaults."""
    if versioning == LogicVersioning():
        return ""
    digest = hashlib.sha256(f"{versioning.per_transform}{versioning.dependencies}".encode())
    for named in versioning.files:
        below = sorted(_files(named)) if named.is_dir() else [named] if named.is_file() else []
        for file in below:
            digest.update(
                f"{os.path.relpath(file, source_root)}\0".encode() + hashlib.sha256(file.read_bytes()).digest()
            )
    return digest.hexdigest()


def pinned_dependencies(source_root: Path) -> str:
    """Hash of the files that pin what is installed."""
    digest = hashlib.sha256()
    for name in _PINS:
        file = source_root.parent / name
        if file.is_file():
            digest.update(f"{name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


class LogicVersions:
    """Logic versions of the transforms of one source root; each module is read once."""

    def __init__(self, source_root: Path) -> None:
        self._root = source_root.resolve()
        versioning = logic_versioning(source_root)
        self._pins = pinned_dependencies(source_root) if versioning.dependencies else ""
        self._pins += _further(versioning, source_root)
        self._whole = None if versioning.per_transform else tree_fingerprint(source_root)
        self._closures: dict[Path, frozenset[Path]] = {}
        # Most imports lead out of the repository; looking for each of them in it took most of the time.
        self._tops = {p.stem if p.suffix == ".py" else p.name for p in self._root.iterdir()}

    def of(self, function: Callable[..., Any], declared: str) -> str:
        """The version of one compute function; ``declared`` is the printed form of its inputs and outputs."""
        plain, carried = _written(function)
        digest = hashlib.sha256()
        digest.update(f"{plain.__module__}:{getattr(plain, '__qualname__', '')}\0{declared}\0{self._pins}\0".encode())
        captured = "\0".join((*_captured(plain), *(_plain(value) or "?" for value in carried)))
        digest.update(captured.encode())
        if self._whole is not None or not hasattr(plain, "__code__"):
            digest.update((self._whole or tree_fingerprint(self._root)).encode())
            return digest.hexdigest()
        for file in sorted(self._reachable(Path(plain.__code__.co_filename).resolve())):
            name = file.relative_to(self._root) if file.is_relative_to(self._root) else Path(file.name)
            stat = file.stat()
            digest.update(f"{name.as_posix()}\0{_content(file, stat.st_mtime_ns, stat.st_size)}\0".encode())
        return digest.hexdigest()

    def covers(self, function: Callable[..., Any]) -> tuple[str, ...]:
        """The files below the source root whose content the version of a compute function stands for, sorted."""
        plain, _ = _written(function)
        if self._whole is not None or not hasattr(plain, "__code__"):
            return tuple(sorted(f.relative_to(self._root).as_posix() for f in _files(self._root)))
        files = self._reachable(Path(plain.__code__.co_filename).resolve())
        return tuple(sorted(f.relative_to(self._root).as_posix() for f in files if f.is_relative_to(self._root)))

    def _reachable(self, start: Path) -> frozenset[Path]:
        if start not in self._closures:
            modules: set[Path] = set()
            todo = [start, *self._packages(start)]
            while todo:
                file = todo.pop()
                if file in modules or not file.is_file():
                    continue
                modules.add(file)
                stat = file.stat()
                for level, name in _imports(file, stat.st_mtime_ns, stat.st_size):
                    todo.extend(self._files_of(level, name, file))
            data = {data for folder in {m.parent for m in modules} for data in _data_files(folder)}
            self._closures[start] = frozenset(modules | data)
        return self._closures[start]

    def _packages(self, file: Path) -> Iterator[Path]:
        folder = file.parent
        while folder != self._root and folder.is_relative_to(self._root):
            yield folder / "__init__.py"
            folder = folder.parent

    def _files_of(self, level: int, dotted: str, file: Path) -> Iterator[Path]:
        at = file.parents[level - 1] if level else self._root
        if not at.is_relative_to(self._root) or (not level and dotted.partition(".")[0] not in self._tops):
            return
        for part in filter(None, dotted.split(".")):
            at = at / part
            yield from (c for c in (at.with_name(f"{at.name}.py"), at / "__init__.py") if c.is_file())


def _files(root: Path) -> Iterator[Path]:
    for entry in root.iterdir():
        if entry.is_dir():
            if entry.name not in _SKIPPED and not entry.name.endswith(".egg-info"):
                yield from _files(entry)
        elif entry.suffix == ".py" or entry.suffix in _DATA_SUFFIXES or entry.name == "setup.cfg":
            yield entry


def _data_files(folder: Path) -> Iterator[Path]:
    """Data files of a folder and of its sub-folders that are no packages themselves, without those that are carried."""
    carried = _carried(folder / "__init__.py")
    for entry in folder.iterdir():
        if entry.is_file() and entry.suffix in _DATA_SUFFIXES:
            if not any(entry.match(pattern) for pattern in carried):
                yield entry
        elif entry.is_dir() and entry.name not in _SKIPPED and not (entry / "__init__.py").exists():
            yield from _data_files(entry)


def _carried(package: Path) -> tuple[str, ...]:
    """The patterns that a package's ``__init__.py`` names; what is no tuple or list of texts names none."""
    if not package.is_file():
        return ()
    for node in ast.parse(package.read_bytes(), filename=str(package)).body:
        named = node.targets[0] if isinstance(node, ast.Assign) else None
        if isinstance(node, ast.Assign) and isinstance(named, ast.Name) and named.id == _CARRIED:
            parts = node.value.elts if isinstance(node.value, ast.Tuple | ast.List) else []
            texts = [part.value for part in parts if isinstance(part, ast.Constant)]
            return tuple(text for text in texts if isinstance(text, str))
    return ()


@functools.lru_cache(maxsize=4096)
def _content(file: Path, _mtime: int, _size: int) -> str:
    if file.suffix != ".py":
        return hashlib.sha256(file.read_bytes()).hexdigest()
    tree = ast.parse(file.read_bytes(), filename=str(file))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            first = node.body[0] if node.body else None
            is_text = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
            if is_text and isinstance(first.value.value, str):  # type: ignore[union-attr]
                node.body = node.body[1:]
    return hashlib.sha256(ast.dump(tree).encode()).hexdigest()


@functools.lru_cache(maxsize=4096)
def _imports(file: Path, _mtime: int, _size: int) -> tuple[tuple[int, str], ...]:
    if file.suffix != ".py":
        return ()
    found: set[tuple[int, str]] = set()
    for node in ast.walk(ast.parse(file.read_bytes(), filename=str(file))):
        if isinstance(node, ast.Import):
            found.update((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            found.add((node.level, base))
            found.update((node.level, f"{base}.{alias.name}".strip(".")) for alias in node.names)
    return tuple(sorted(found))


def _written(function: Any) -> tuple[Any, list[Any]]:
    """The function that a partial, a method or a callable object comes down to, and what these carry besides."""
    carried: list[Any] = []
    while True:
        function = inspect.unwrap(function)
        if isinstance(function, functools.partial):
            carried += [function.args, function.keywords]
            function = function.func
        elif inspect.ismethod(function):
            carried.append(getattr(function.__self__, "__dict__", None))
            function = function.__func__
        elif not hasattr(function, "__code__") and inspect.isfunction(getattr(type(function), "__call__", None)):  # noqa: B004 -- the function behind it
            function = function.__call__
        else:
            return function, carried


def _captured(function: Any, depth: int = 0) -> Iterator[str]:
    """Printed forms of the plain values that a generated function carries with it."""
    if not hasattr(function, "__code__"):
        return
    cells = zip(function.__code__.co_freevars, function.__closure__ or (), strict=False)
    for name, cell in cells:
        try:
            value = cell.cell_contents
        except ValueError:
            continue
        if (text := _plain(value, depth)) is not None:
            yield f"{name}={text}"
    for default in (*(function.__defaults__ or ()), *(function.__kwdefaults__ or {}).values()):
        if (text := _plain(default, depth)) is not None:
            yield text


def _plain(value: Any, depth: int = 0) -> str | None:
    """The printed form of a value that means the same in every process, or ``None`` for anything else."""
    if depth > 8:
        return None
    if value is None or isinstance(value, bool | int | float | str | bytes):
        return repr(value)
    if isinstance(value, list | tuple):
        return f"[{','.join(_plain(v, depth + 1) or '?' for v in value)}]"
    if isinstance(value, set | frozenset):
        return f"{{{','.join(sorted(_plain(v, depth + 1) or '?' for v in value))}}}"
    if isinstance(value, dict):
        pairs = (f"{_plain(k, depth + 1)}:{_plain(v, depth + 1) or '?'}" for k, v in value.items())
        return f"{{{','.join(pairs)}}}"
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        facts = {f.name: getattr(value, f.name) for f in dataclasses.fields(value)}
        return f"{type(value).__name__}{_plain(facts, depth + 1)}"
    if hasattr(value, "model_dump_json") and not isinstance(value, type):
        return f"{type(value).__name__}{value.model_dump_json()}"
    if inspect.isfunction(value):
        return f"{value.__module__}:{value.__qualname__}({','.join(_captured(value, depth + 1))})"
    return None
