"""Logic versions: a hash over the source that a transform's result depends on, read only when somebody asks."""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from transforms.api._transform import Source
from transforms.errors import TransformValueError


def logic_version(function: Callable[..., Any], source: Source) -> str:
    """A hash over the module of ``function`` and every module of the same source root that it imports, directly or not.

    Raises:
        TransformValueError: a source file cannot be read.
    """
    plain = inspect.unwrap(function)
    module = sys.modules.get(getattr(plain, "__module__", "") or "")
    file = getattr(module, "__file__", None) or source.file
    root = _source_root(module.__name__ if module else "", Path(file))
    files: dict[Path, str] = {}
    _follow(Path(file), root, files, source)
    digest = hashlib.sha256(f"{plain.__module__}:{getattr(plain, '__qualname__', '')}".encode())
    for path in sorted(files):
        digest.update(f"{path.relative_to(root) if path.is_relative_to(root) else path.name}\0{files[path]}\0".encode())
    return digest.hexdigest()


def _source_root(module: str, file: Path) -> Path:
    depth = module.count(".") + (1 if file.name == "__init__.py" else 0)
    return file.parents[depth] if module and depth < len(file.parents) else file.parent


def _follow(file: Path, root: Path, files: dict[Path, str], source: Source) -> None:
    if file in files:
        return
    try:
        stat = file.stat()
        files[file], imported = _read(file, stat.st_mtime_ns, stat.st_size)
    except (OSError, SyntaxError) as error:
        what = f"the logic of this transform has no version, because {file} cannot be read ({error})."
        raise TransformValueError(what, str(source)) from error
    for name in imported:
        for found in _files_of(name, file, root):
            _follow(found, root, files, source)


@functools.lru_cache(maxsize=4096)
def _read(file: Path, _mtime: int, _size: int) -> tuple[str, tuple[tuple[int, str], ...]]:
    content = file.read_bytes()
    return hashlib.sha256(content).hexdigest(), tuple(sorted(set(_imports(ast.parse(content)))))


def _imports(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            yield node.level, base
            yield from ((node.level, f"{base}.{alias.name}".strip(".")) for alias in node.names)


def _files_of(name: tuple[int, str], file: Path, root: Path) -> Iterator[Path]:
    """Files of one imported name below the source root, packages on the way included; nothing for third parties."""
    level, dotted = name
    at = file.parents[level - 1] if level else root
    for part in dotted.split("."):
        at = at / part
        for candidate in (at.with_name(at.name + ".py"), at / "__init__.py"):
            if candidate.is_file():
                yield candidate
