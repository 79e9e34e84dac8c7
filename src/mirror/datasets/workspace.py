"""The workspace: a folder with a configuration, a catalog, stored files and locks."""

from __future__ import annotations

import contextlib
import json
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from mirror.clock import Clock, system_clock
from mirror.datasets import guest
from mirror.datasets.catalog import Catalog
from mirror.datasets.errors import WorkspaceConfigError, WorkspaceNotFoundError
from mirror.datasets.guest import Guest
from mirror.datasets.lock import Held, build_lock
from mirror.datasets.storage import Storage, translated
from mirror.datasets.store import DEFAULT_BRANCH, DatasetStore

CONFIG_FILE = "config.toml"
DEFAULT_CATALOG = "sqlite:///catalog.sqlite"


@dataclass(frozen=True)
class WorkspaceConfig:
    """What ``config.toml`` says. Relative paths are relative to the workspace folder.

    Attributes:
        repository: the transforms repository (the guest), absolute.
        catalog_url: SQLAlchemy URL.
        data_root: where files lie, absolute.
        default_branch: what commands take without ``--branch``.
        aliases: further spellings of dataset paths: RID or local name -> path.
    """

    repository: Path
    catalog_url: str
    data_root: Path
    default_branch: str = DEFAULT_BRANCH
    aliases: Mapping[str, str] = field(default_factory=dict)


class Workspace:
    """An open workspace. Use it as a context manager, or call :meth:`close`."""

    def __init__(self, path: Path, config: WorkspaceConfig, clock: Clock = system_clock) -> None:
        self.path = path
        self.config = config
        self.clock = clock

    @classmethod
    def create(
        cls,
        path: Path,
        *,
        repository: Path = Path(),
        catalog_url: str = DEFAULT_CATALOG,
        clock: Clock = system_clock,
    ) -> Workspace:
        """Makes a workspace and its catalog; one that exists is opened as it is.

        Raises StorageUnwritableError, CatalogVersionError.
        """
        path = path.resolve()
        file = path / CONFIG_FILE
        if not file.is_file():
            with translated(path):
                path.mkdir(parents=True, exist_ok=True)
                text = _render(os.path.relpath(repository.resolve(), path), catalog_url)
                temporary = path / f"{CONFIG_FILE}.{os.getpid()}"
                temporary.write_text(text, encoding="utf-8")
                temporary.replace(file)
        workspace = cls(path, _read(file), clock)
        with translated(workspace.config.data_root):
            workspace.config.data_root.mkdir(parents=True, exist_ok=True)
        workspace._catalog.create()
        return workspace

    @classmethod
    def open(cls, path: Path, *, clock: Clock = system_clock) -> Workspace:
        """An existing workspace. Raises WorkspaceNotFoundError, WorkspaceConfigError, CatalogVersionError."""
        path = path.resolve()
        if not (path / CONFIG_FILE).is_file():
            raise WorkspaceNotFoundError(str(path))
        workspace = cls(path, _read(path / CONFIG_FILE), clock)
        workspace._catalog.check()
        return workspace

    @cached_property
    def _catalog(self) -> Catalog:
        return Catalog(_absolute_url(self.config.catalog_url, self.path))

    @property
    def catalog(self) -> Catalog:
        """The database: ``.engine``, ``.metadata``, ``.reading()``, ``.writing()``, ``.ensure(*tables)``."""
        return self._catalog

    @cached_property
    def store(self) -> DatasetStore:
        """The datasets."""
        rids = {**guest.shrinkwrap(self.config.repository), **self.config.aliases}
        return DatasetStore(self.catalog, Storage(str(self.config.data_root)), clock=self.clock, rids=rids)

    @cached_property
    def guest(self) -> Guest:
        """The transforms repository, found without executing any of it. Raises GuestNotFoundError."""
        return guest.find_guest(self.config.repository)

    def lock(self, branch: str) -> contextlib.AbstractContextManager[Held]:
        """The build lock of one branch. Raises WorkspaceLockedError."""
        return build_lock(self.path / "locks", branch, self.clock)

    def close(self) -> None:
        """Gives back the database connections."""
        if "_catalog" in self.__dict__:
            self._catalog.close()

    def __enter__(self) -> Workspace:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _render(repository: str, catalog_url: str) -> str:
    # JSON strings are TOML basic strings.
    return f"""\
# A foundry-mirror workspace. Relative paths start at this folder.
[repository]
path = {json.dumps(repository)}

[catalog]
url = {json.dumps(catalog_url)}

[storage]
root = "data"

[branches]
default = "{DEFAULT_BRANCH}"

# Further spellings of dataset paths; transforms-shrinkwrap.yml of the repository is read as well.
[aliases]
"""


def _read(file: Path) -> WorkspaceConfig:
    try:
        with file.open("rb") as stream:
            document = tomllib.load(stream)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise WorkspaceConfigError(str(file), str(error)) from error

    def text(section: str, key: str, default: str | None = None) -> str:
        value: Any = document.get(section, {}).get(key, default)
        if not isinstance(value, str):
            raise WorkspaceConfigError(str(file), f"[{section}] {key} must be a text, not {value!r}")
        return value

    aliases = document.get("aliases", {})
    if not all(isinstance(value, str) for value in aliases.values()):
        raise WorkspaceConfigError(str(file), "[aliases] maps names to dataset paths")
    return WorkspaceConfig(
        repository=(file.parent / text("repository", "path")).resolve(),
        catalog_url=text("catalog", "url", DEFAULT_CATALOG),
        data_root=(file.parent / text("storage", "root", "data")).resolve(),
        default_branch=text("branches", "default", DEFAULT_BRANCH),
        aliases=aliases,
    )


def _absolute_url(url: str, base: Path) -> str:
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url.startswith(prefix + "/"):
        return url
    return prefix + str(base / url.removeprefix(prefix))
