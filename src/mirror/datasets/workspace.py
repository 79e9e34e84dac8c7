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
from mirror.datasets import guest, toml
from mirror.datasets.catalog import Catalog
from mirror.datasets.errors import StorageSettingsError, WorkspaceConfigError, WorkspaceNotFoundError
from mirror.datasets.guest import Guest
from mirror.datasets.lock import Held, build_lock
from mirror.datasets.storage import Storage, StorageSettings, translated
from mirror.datasets.storage.settings import parse
from mirror.datasets.store import DEFAULT_BRANCH, DatasetStore

CONFIG_FILE = "config.toml"
CACHE = "cache"
DEFAULT_CATALOG = "sqlite:///catalog.sqlite"


@dataclass(frozen=True)
class WorkspaceConfig:
    """What ``config.toml`` says. Relative paths are relative to the workspace folder.

    Attributes:
        repository: the transforms repository (the guest), absolute.
        catalog_url: SQLAlchemy URL.
        storage: where files lie.
        default_branch: what commands take without ``--branch``.
        aliases: further spellings of dataset paths: RID or local name -> path.
        source: the repository's sub-project to run, where several declare a pipeline.
        sources_file: describes the external systems that transforms ask for, absolute.
        always_stale: outputs that every build makes anew: nothing tells when a source outside has something new.
        sensitive: dataset path -> columns whose values no result of a check may show.
        alerts: the section about where alerts are sent, as written; `mirror.health.delivery` reads it.
    """

    repository: Path
    catalog_url: str
    storage: StorageSettings
    default_branch: str = DEFAULT_BRANCH
    aliases: Mapping[str, str] = field(default_factory=dict)
    source: str | None = None
    sources_file: Path | None = None
    always_stale: tuple[str, ...] = ()
    sensitive: Mapping[str, frozenset[str]] = field(default_factory=dict)
    alerts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def data_root(self) -> Path:
        """The root as a folder of this machine; a URL has none. Raises StorageSettingsError."""
        if self.storage.is_url:
            raise StorageSettingsError("root", f"{self.storage.root} is no local folder")
        return Path(self.storage.root)

    @property
    def source_root(self) -> Path:
        """The folder that goes on ``sys.path``. Raises GuestNotFoundError."""
        return guest.find_source_root(self.repository, self.source)


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
        repository: Path | None = None,
        catalog_url: str = DEFAULT_CATALOG,
        storage: Mapping[str, Any] | None = None,
        source: str | None = None,
        sources_file: Path | None = None,
        clock: Clock = system_clock,
    ) -> Workspace:
        """Makes a workspace and its catalog; one that exists is opened as it is.

        Raises StorageUnwritableError, StorageUnreachableError, StorageClientMissingError, StorageSettingsError,
        CatalogVersionError; WorkspaceConfigError where an existing one says another ``repository`` (of a new one the
        working directory unless given), ``source``, ``sources_file`` or ``storage`` (the keys of that section).
        """
        path = path.resolve()
        file = path / CONFIG_FILE
        described = None if sources_file is None else sources_file.resolve()
        place = os.path.relpath((repository or Path()).resolve(), path)
        section = {"root": "data", **(storage or {})}
        settings = parse(section, path)
        if not file.is_file():
            # A root that does not answer leaves no workspace behind.
            settings.storage(path / CACHE).prepare()
            with translated(path):
                path.mkdir(parents=True, exist_ok=True)
                relative = None if described is None else os.path.relpath(described, path)
                text = _render(place, catalog_url, section, source, relative)
                temporary = path / f"{CONFIG_FILE}.{os.getpid()}"
                temporary.write_text(text, encoding="utf-8")
                temporary.replace(file)
        workspace = cls(path, _read(file), clock)
        for wanted, known, where in (
            (settings if storage else None, workspace.config.storage, toml.section("storage", section)),
            (
                repository and repository.resolve(),
                workspace.config.repository,
                f"[repository] path = {json.dumps(place)}",
            ),
            (source, workspace.config.source, f"[repository] source = {json.dumps(source)}"),
            (described, workspace.config.sources_file, f"[sources] file = {json.dumps(str(described))}"),
        ):
            if wanted is not None and wanted != known:
                raise WorkspaceConfigError(str(file), f"it exists already and says otherwise; write {where} there")
        workspace.storage.prepare()
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
    def storage(self) -> Storage:
        """Where files lie."""
        return self.config.storage.storage(self.path / CACHE)

    @cached_property
    def store(self) -> DatasetStore:
        """The datasets."""
        rids = guest.spellings(guest.shrinkwrap(self.config.repository, self.config.source), self.config.aliases)
        return DatasetStore(self.catalog, self.storage, clock=self.clock, rids=rids)

    @cached_property
    def guest(self) -> Guest:
        """The transforms repository, found without executing any of it. Raises GuestNotFoundError."""
        return guest.find_guest(self.config.repository, self.config.source, loose=True)

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


def _render(
    repository: str, catalog_url: str, storage: Mapping[str, Any], source: str | None, sources_file: str | None
) -> str:
    # JSON strings are TOML basic strings.
    chosen = "" if source is None else f"source = {json.dumps(source)}\n"
    described = (
        "# file = " + json.dumps("sources.yml") if sources_file is None else f"file = {json.dumps(sources_file)}"
    )
    return f"""\
# A foundry-mirror workspace. Relative paths start at this folder.
[repository]
path = {json.dumps(repository)}
{chosen}
[catalog]
url = {json.dumps(catalog_url)}

{toml.section("storage", storage)}
[branches]
default = "{DEFAULT_BRANCH}"

# Describes external systems (RID -> url, headers, where secrets are kept: {{env: NAME}} or {{file: PATH}}).
[sources]
{described}

# Outputs that every build makes anew: nothing tells when a source outside has something new.
[builds]
always_stale = []

# Columns whose values no result of a check may show: "/path" = ["column"].
[sensitive]

# Where `mirror alerts deliver` sends to (docs/03-production/alerts.md). Secrets are named: {{env = "NAME"}}.
# [alerts.sinks.NAME]

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

    def optional(section: str, key: str) -> str | None:
        return text(section, key) if key in document.get(section, {}) else None

    described = optional("sources", "file")
    aliases = document.get("aliases", {})
    if not all(isinstance(value, str) for value in aliases.values()):
        raise WorkspaceConfigError(str(file), "[aliases] maps names to dataset paths")
    always_stale = document.get("builds", {}).get("always_stale", [])
    if not _is_names(always_stale):
        raise WorkspaceConfigError(str(file), f"[builds] always_stale lists dataset paths, not {always_stale!r}")
    sensitive = document.get("sensitive", {})
    if not all(_is_names(columns) for columns in sensitive.values()):
        raise WorkspaceConfigError(str(file), "[sensitive] maps dataset paths to lists of columns")
    try:
        storage = parse(document.get("storage", {}), file.parent)
    except StorageSettingsError as error:
        raise WorkspaceConfigError(str(file), str(error).rstrip(".")) from error
    return WorkspaceConfig(
        repository=(file.parent / text("repository", "path")).resolve(),
        catalog_url=text("catalog", "url", DEFAULT_CATALOG),
        storage=storage,
        default_branch=text("branches", "default", DEFAULT_BRANCH),
        aliases=aliases,
        source=optional("repository", "source"),
        sources_file=None if described is None else (file.parent / described).resolve(),
        always_stale=tuple(always_stale),
        sensitive={aliases.get(path, path): frozenset(columns) for path, columns in sensitive.items()},
        alerts=document.get("alerts", {}),
    )


def _is_names(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(name, str) for name in value)


def _absolute_url(url: str, base: Path) -> str:
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url.startswith(prefix + "/"):
        return url
    return prefix + str(base / url.removeprefix(prefix))
