"""Finds the transforms repository's source root, entry point and RID map by reading files; executes nothing of it."""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mirror.datasets.errors import GuestNotFoundError
from transforms.shrinkwrap import parse_shrinkwrap

GROUP = "transforms.pipelines"
_ENTRY = re.compile(r"^\s*root\s*=\s*([\w.]+)\s*:\s*([\w.]+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Guest:
    """A transforms repository.

    Attributes:
        source_root: the folder that goes on ``sys.path``.
        module / attribute: the entry point ``root = <module>:<attribute>``.
        declared_in: the file that declares it.
    """

    repository: Path
    source_root: Path
    module: str
    attribute: str
    declared_in: Path


def find_source_root(repository: Path) -> Path:
    """``transforms-python/src`` where it exists, else the only folder whose ``setup.py`` declares pipelines.

    Raises GuestNotFoundError.
    """
    usual = repository / "transforms-python" / "src"
    if usual.is_dir():
        return usual
    candidates = [f.parent for f in sorted(repository.glob("*/src/setup.py")) + sorted(repository.glob("src/setup.py"))]
    declaring = [folder for folder in candidates if _entry_in_setup(folder / "setup.py")]
    if len(declaring) == 1:
        return declaring[0]
    missing = "several source roots declare pipelines" if declaring else "there is no transforms source root"
    raise GuestNotFoundError(str(repository), missing)


def find_guest(repository: Path) -> Guest:
    """The repository's source root and entry point. Raises GuestNotFoundError."""
    root = find_source_root(repository)
    readers = {
        root / "setup.py": _entry_in_setup,
        root / "setup.cfg": _entry_in_cfg,
        root / "pyproject.toml": _entry_in_pyproject,
        root.parent / "setup.py": _entry_in_setup,
        root.parent / "pyproject.toml": _entry_in_pyproject,
    }
    for file, reader in readers.items():
        if file.is_file() and (found := reader(file)) is not None:
            return Guest(repository, root, found[0], found[1], file)
    raise GuestNotFoundError(
        str(repository), f"no entry point {GROUP!r} is declared in setup.py, setup.cfg or pyproject.toml"
    )


def shrinkwrap(repository: Path) -> dict[str, str]:
    """RID -> alias from ``transforms-shrinkwrap.yml``; merge markers and unknown keys are passed over.

    Where several aliases share a RID, the path given first stands for all; the others map to it as well.
    """
    file = repository / "transforms-shrinkwrap.yml"
    if not file.is_file():
        return {}
    found: dict[str, str] = {}
    for entry in parse_shrinkwrap(file.read_text(encoding="utf-8")).entries:
        rid, alias = entry.rid or "", entry.alias
        if not rid.startswith("ri.") or not alias or alias == rid:
            continue
        chosen = found.setdefault(rid, alias)
        if chosen != alias:
            found[alias] = chosen
    return found


def _entry_in_setup(file: Path) -> tuple[str, str] | None:
    try:
        tree = ast.parse(file.read_text(encoding="utf-8"), filename=str(file))
    except (OSError, SyntaxError) as error:
        raise GuestNotFoundError(str(file), f"it cannot be parsed ({error})") from error
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and node.arg == "entry_points":
            try:
                value = ast.literal_eval(node.value)
            except ValueError:
                continue
            if (found := _entry(value)) is not None:
                return found
    return None


def _entry(value: Any) -> tuple[str, str] | None:
    if isinstance(value, str):
        parser = configparser.ConfigParser()
        parser.read_string(value)
        value = {section: "\n".join(f"{k} = {v}" for k, v in parser.items(section)) for section in parser.sections()}
    if not isinstance(value, dict) or GROUP not in value:
        return None
    entries = value[GROUP]
    if isinstance(entries, dict):
        entries = [f"{k} = {v}" for k, v in entries.items()]
    match = _ENTRY.search(entries if isinstance(entries, str) else "\n".join(entries))
    return (match[1], match[2]) if match else None


def _entry_in_cfg(file: Path) -> tuple[str, str] | None:
    parser = configparser.ConfigParser()
    parser.read(file, encoding="utf-8")
    section = "options.entry_points"
    return _entry(dict(parser.items(section))) if parser.has_section(section) else None


def _entry_in_pyproject(file: Path) -> tuple[str, str] | None:
    with file.open("rb") as stream:
        document = tomllib.load(stream)
    return _entry(document.get("project", {}).get("entry-points", {}))
