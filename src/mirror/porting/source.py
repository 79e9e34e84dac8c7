"""Guest modules as syntax trees: parsed, never imported."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from mirror.porting.errors import GuestFileError

_REASON_WORDS = 3


@dataclass(frozen=True)
class Module:
    """One Python file of the guest. ``file`` is relative to the source root, ``name`` its dotted name."""

    file: str
    name: str
    text: str

    @cached_property
    def tree(self) -> ast.Module:
        try:
            return ast.parse(self.text, filename=self.file)
        except SyntaxError as error:
            raise GuestFileError(self.file, error.lineno or 1, f"this is no Python: {error.msg}.") from error

    @cached_property
    def comments(self) -> dict[int, str]:
        """Line -> the comment on it, without ``#``."""
        reader = io.StringIO(self.text).readline
        return {
            token.start[0]: token.string.lstrip("#").strip()
            for token in tokenize.generate_tokens(reader)
            if token.type == tokenize.COMMENT
        }

    def has_reason(self, node: ast.stmt | ast.expr) -> bool:
        """Whether a comment of at least three words stands on the node's lines or on the one above."""
        lines = range(node.lineno - 1, (node.end_lineno or node.lineno) + 1)
        return any(len(self.comments.get(line, "").split()) >= _REASON_WORDS for line in lines)

    @cached_property
    def names(self) -> dict[str, str]:
        """Local name -> the dotted name it was imported as, wherever the import stands."""
        found: dict[str, str] = {}
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    top = alias.name.partition(".")[0]
                    found[alias.asname or top] = alias.name if alias.asname else top
            elif isinstance(node, ast.ImportFrom):
                base = self.absolute(node)
                for alias in node.names:
                    found[alias.asname or alias.name] = f"{base}.{alias.name}"
        return found

    def absolute(self, node: ast.ImportFrom) -> str:
        """The dotted name an ``import from`` starts at, relative ones resolved."""
        if not node.level:
            return node.module or ""
        package = self.name if self.file.endswith("__init__.py") else self.name.rpartition(".")[0]
        parts = package.split(".")[: len(package.split(".")) - node.level + 1]
        return ".".join([*parts, *([node.module] if node.module else [])])

    def dotted(self, node: ast.expr) -> str | None:
        """What a chain of names means once imports are resolved: ``F.now`` -> ``pyspark.sql.functions.now``."""
        parts: list[str] = []
        while isinstance(node, ast.Attribute):
            parts.append(node.attr)
            node = node.value
        if not isinstance(node, ast.Name):
            return None
        return ".".join([self.names.get(node.id, node.id), *reversed(parts)])

    def imported(self) -> Iterator[tuple[int, str]]:
        """``(line, dotted module or name)`` of every import, wherever it stands."""
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    yield node.lineno, alias.name
            elif isinstance(node, ast.ImportFrom):
                base = self.absolute(node)
                for alias in node.names:
                    yield node.lineno, f"{base}.{alias.name}"


def modules(source_root: Path) -> list[Module]:
    """Every Python file in the packages below ``source_root``, in path order, without ``setup.py`` and tests."""
    found = []
    for path in sorted(source_root.rglob("*.py")):
        relative = path.relative_to(source_root)
        if len(relative.parts) < 2 or relative.parts[0] in ("test", "tests") or "__pycache__" in relative.parts:
            continue
        parts = relative.with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        found.append(Module(relative.as_posix(), name, path.read_text(encoding="utf-8")))
    return found
