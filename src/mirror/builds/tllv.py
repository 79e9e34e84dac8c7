"""Foundry's logic versions as the sub-project's ``build.gradle`` sets them up; the file is read, never run.

In its ``transformsPython`` block ``tllv false`` gives every transform the version of the whole repository,
``tllvIncludeDeps false`` leaves the pinned dependencies out, and ``tllvFiles`` names further files that count.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_BLOCK = re.compile(r"\btransformsPython\s*\{(.*)\}", re.DOTALL)
_OFF = r"\b{}\s*=?\s*\(?\s*false\b"
_FILES = re.compile(r"\btllvFiles\s*=?\s*(\[[^\]]*\]|[^\n}]*)")
_TEXT = re.compile(r"'([^']*)'|\"([^\"]*)\"")


@dataclass(frozen=True)
class LogicVersioning:
    """What counts as logic.

    Attributes:
        per_transform: a transform's version covers what it imports; otherwise everything in the repository.
        dependencies: pinned dependencies count.
        files: further files, absolute, in the declared order.
    """

    per_transform: bool = True
    dependencies: bool = True
    files: tuple[Path, ...] = ()


def logic_versioning(source_root: Path) -> LogicVersioning:
    """What ``build.gradle`` beside (or above) the source root says; Foundry's defaults without one."""
    project = source_root.parent
    file = next((f for f in (project / "build.gradle", source_root / "build.gradle") if f.is_file()), None)
    text = "" if file is None else _COMMENT.sub("", file.read_text(encoding="utf-8", errors="replace"))
    block = _BLOCK.search(text)
    if block is None or file is None:
        return LogicVersioning()
    said = block[1]
    listed = _FILES.search(said)
    names = [one or other for one, other in _TEXT.findall(listed[1])] if listed else []
    return LogicVersioning(
        per_transform=re.search(_OFF.format("tllv"), said) is None,
        dependencies=re.search(_OFF.format("tllvIncludeDeps"), said) is None,
        files=tuple(file.parent / name for name in names),
    )
