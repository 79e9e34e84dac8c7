"""Finds the transforms repository's source root, entry point and RID map by reading files; executes nothing of it."""

from __future__ import annotations

import ast
import configparser
import re
import tomllib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mirror.datasets.errors import GuestNotFoundError, SeveralSourceRootsError
from transforms.shrinkwrap import Shrinkwrap, parse_shrinkwrap

GROUP = "transforms.pipelines"
USUAL = Path("transforms-python/src")
_ASIDE = frozenset({"build", "dist", "env", "node_modules", "site-packages", "venv"})
_SHRINKWRAP = "transforms-shrinkwrap.yml"
_NO_PIPELINE = frozenset({"setup.py", "conftest.py", "test", "tests"})
_ENTRY = re.compile(r"^\s*root\s*=\s*([\w.]+)\s*:\s*([\w.]+)\s*$", re.MULTILINE)


@dataclass(frozen=True)
class Guest:
    """A transforms repository.

    Attributes:
        source_root: the folder that goes on ``sys.path``.
        module / attribute: the entry point ``root = <module>:<attribute>``; without an attribute, the top-level modules
            (with commas between them) of code that declares no pipeline.
        declared_in: the file that declares it; without an entry point, the source root.
    """

    repository: Path
    source_root: Path
    module: str
    attribute: str
    declared_in: Path

    @property
    def entry(self) -> str:
        """The entry point as people read it."""
        return f"{self.module}:{self.attribute}" if self.attribute else f"every module of {self.module}"


def source_roots(repository: Path) -> tuple[Path, ...]:
    """Every folder of a repository that declares a pipeline, ``transforms-python/src`` first, then by name.

    Raises GuestNotFoundError where a ``setup.py`` cannot be parsed.
    """
    declaring: list[Path] = []
    # A repository may lie deeper inside a larger one; what declares nothing at one depth is looked for at the next.
    for depth in ([repository, *repository.glob("*")], repository.glob("*/*"), repository.glob("*/*/*")):
        projects = [path for path in sorted(depth) if path.is_dir() and not _aside(path, repository)]
        candidates = dict.fromkeys(path / "src" if (path / "src").is_dir() else path for path in projects)
        declaring = [root for root in candidates if _declared(root) is not None]
        if declaring:
            break
    usual = repository / USUAL
    return tuple(sorted(declaring, key=lambda root: root != usual))


def find_source_root(repository: Path, source: str | None = None) -> Path:
    """``source`` where it is said; else ``transforms-python/src`` where it exists, else the only one that declares a
    pipeline, else the folder below which most transforms are imported from.

    Args:
        source: the folder, or the sub-project that has it as ``src``, relative to the repository.

    Raises GuestNotFoundError, SeveralSourceRootsError.
    """
    if source is not None:
        chosen = (repository / source).resolve()
        chosen = chosen / "src" if (chosen / "src").is_dir() else chosen
        if not chosen.is_dir() or not chosen.is_relative_to(repository.resolve()):
            raise GuestNotFoundError(str(repository), f"it has no folder {source!r} to take as source root")
        return chosen
    usual = repository / USUAL
    if usual.is_dir():
        return usual
    declaring = source_roots(repository)
    if len(declaring) > 1:
        names = tuple(root.relative_to(repository).as_posix() for root in declaring)
        raise SeveralSourceRootsError(str(repository), names)
    if not declaring and (found := _root_of_loose_code(repository)) is not None:
        return found
    if not declaring:
        raise GuestNotFoundError(str(repository), "there is no transforms source root")
    return declaring[0]


def find_guest(repository: Path, source: str | None = None, *, loose: bool = False) -> Guest:
    """The repository's source root and entry point. Raises as :func:`find_source_root`.

    Args:
        loose: take code that declares no pipeline, module by module.
    """
    root = find_source_root(repository, source)
    found = _declared(root)
    if found is None and loose and (tops := _tops_of_loose_code(root)):
        return Guest(repository, root, ",".join(tops), "", root)
    if found is None:
        raise GuestNotFoundError(
            str(repository),
            f"no entry point {GROUP!r} is declared in setup.py, setup.cfg or pyproject.toml of {root}, and no"
            " pipeline.py makes one Pipeline",
        )
    module, attribute, file = found
    return Guest(repository, root, module, attribute, file)


def _declared(root: Path) -> tuple[str, str, Path] | None:
    """Module, attribute and the file that names them: what setup declares, else the one ``pipeline.py``."""
    readers = {
        root / "setup.py": _entry_in_setup,
        root / "setup.cfg": _entry_in_cfg,
        root / "pyproject.toml": _entry_in_pyproject,
    }
    if root.name == "src":
        readers |= {root.parent / "setup.py": _entry_in_setup, root.parent / "pyproject.toml": _entry_in_pyproject}
    for file, reader in readers.items():
        if file.is_file() and (found := reader(file)) is not None:
            return (*found, file)
    made = [(file, name) for file in sorted(root.glob("*/pipeline.py")) for name in _pipelines_made(file)]
    if len(made) != 1:
        return None
    file, name = made[0]
    return f"{file.parent.name}.pipeline", name, file


def _aside(path: Path, repository: Path) -> bool:
    """Whether a path lies in a hidden folder, or among what was built or installed."""
    return any(part.startswith(".") or part in _ASIDE for part in path.relative_to(repository).parts)


def _files_with_transforms(folder: Path) -> list[Path]:
    files = (file for file in sorted(folder.rglob("*.py")) if not _aside(file, folder))
    return [file for file in files if b"transforms.api" in file.read_bytes()]


def _root_of_loose_code(repository: Path) -> Path | None:
    """The folder whose packages or modules hold most transforms; of several, the one least deep."""
    roots: Counter[Path] = Counter()
    for file in _files_with_transforms(repository):
        folder = file.parent
        while (folder / "__init__.py").is_file() and folder != repository:
            folder = folder.parent
        roots[folder] += 1
    return min(roots, key=lambda root: (-roots[root], len(root.parts), root), default=None)


def _tops_of_loose_code(root: Path) -> tuple[str, ...]:
    tops = dict.fromkeys(file.relative_to(root).parts[0] for file in _files_with_transforms(root))
    return tuple(name.removesuffix(".py") for name in tops if name not in _NO_PIPELINE)


def _pipelines_made(file: Path) -> tuple[str, ...]:
    """Names that a module gives to what ``Pipeline()`` returns; a module that cannot be parsed makes none."""
    try:
        body = ast.parse(file.read_bytes()).body
    except SyntaxError:
        return ()
    made = []
    for node in body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Call):
            called = node.value.func
            name = called.attr if isinstance(called, ast.Attribute) else getattr(called, "id", None)
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            if name == "Pipeline":
                made += [target.id for target in targets if isinstance(target, ast.Name)]
    return tuple(made)


def shrinkwrap(repository: Path, source: str | None = None) -> dict[str, str]:
    """RID -> alias from ``transforms-shrinkwrap.yml``; merge markers and unknown keys are passed over.

    Where several aliases share a RID, the path given first stands for all; the others map to it as well.
    """
    found: dict[str, str] = {}
    for entry in parsed_shrinkwrap(repository, source).entries:
        rid, alias = entry.rid or "", entry.alias
        if not rid.startswith("ri.") or not alias or alias == rid:
            continue
        chosen = found.setdefault(rid, alias)
        if chosen != alias:
            found[alias] = chosen
    return found


def parsed_shrinkwrap(repository: Path, source: str | None = None) -> Shrinkwrap:
    """The whole file, and what could not be read in it; empty where there is none.

    Where the repository lies inside a larger one, it is the nearest one above the source root.
    """
    file = repository / _SHRINKWRAP
    if not file.is_file():
        file = _shrinkwrap_below(repository, source)
    return parse_shrinkwrap(file.read_text(encoding="utf-8", errors="replace")) if file.is_file() else Shrinkwrap()


def _shrinkwrap_below(repository: Path, source: str | None) -> Path:
    try:
        folder = find_source_root(repository, source)
    except GuestNotFoundError:
        return repository / _SHRINKWRAP
    while folder != repository and not (folder / _SHRINKWRAP).is_file():
        folder = folder.parent
    return folder / _SHRINKWRAP


def spellings(shrinkwrapped: dict[str, str], own: Mapping[str, str]) -> dict[str, str]:
    """RID or other spelling -> path, from the repository's map and the workspace's ``[aliases]``, which win.

    A dataset that the workspace gives another path keeps all its spellings.
    """
    renamed = {shrinkwrapped[name]: path for name, path in own.items() if shrinkwrapped.get(name, path) != path}
    return {name: renamed.get(path, path) for name, path in shrinkwrapped.items()} | renamed | dict(own)


def _entry_in_setup(file: Path) -> tuple[str, str] | None:
    try:
        tree = ast.parse(file.read_bytes(), filename=str(file))
    except (OSError, SyntaxError) as error:
        raise GuestNotFoundError(str(file), f"it cannot be parsed ({error})") from error
    assigned = {
        target.id: node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        # setup(entry_points=...), and {"entry_points": ...} that is handed over as setup(**...).
        given = [node.value] if isinstance(node, ast.keyword) and node.arg == "entry_points" else []
        if isinstance(node, ast.Dict):
            given = [v for k, v in zip(node.keys, node.values, strict=True) if _says(k, "entry_points")]
        for value in given:
            written = assigned.get(value.id, value) if isinstance(value, ast.Name) else value
            try:
                found = _entry(ast.literal_eval(written))
            except ValueError:
                continue
            if found is not None:
                return found
    return None


def _says(node: ast.expr | None, text: str) -> bool:
    return isinstance(node, ast.Constant) and node.value == text


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
