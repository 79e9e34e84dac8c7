"""The notebook flavour: models by alias, published and loaded outside a transform.

Whoever hosts the notebook calls :func:`connect` first (``mirror.models.notebook.connect`` does it for a workspace).
Aliases are those of the hidden ``.foundry/aliases.yml`` of the working directory where it has one; any other alias is
a path.
"""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any, NoReturn, Protocol

import yaml

from palantir_models.adapter import ModelAdapter
from palantir_models.errors import NeedsFoundryError
from palantir_models.ports import ModelReadPort, ModelWritePort
from palantir_models.publishing import ModelVersionChangeType, WritableModel
from palantir_models.state import ModelStateReader
from palantir_models.version import LoadedVersion, load_state
from transforms._names import Named, known_arguments

ALIASES_FILE = Path(".foundry") / "aliases.yml"


class NotebookHost(Protocol):
    """What a notebook needs of the platform."""

    def read(self, model: str, branch: str | None, version: str | None) -> ModelReadPort:
        """The version a notebook asked for. Raises a typed error naming the model when there is none."""

    def write(self, model: str) -> ModelWritePort:
        """A port to publish through."""

    def commit(self, port: ModelWritePort) -> None:
        """Makes what was published visible at once: a notebook has no job to wait for."""


_host: NotebookHost | None = None


def connect(host: NotebookHost | None) -> None:
    """Says which platform serves this process; ``None`` disconnects."""
    global _host
    _host = host


def resolve_alias(alias: str, directory: Path | None = None) -> str:
    """The path or rid an alias stands for."""
    file = (directory or Path.cwd()) / ALIASES_FILE
    if not file.is_file():
        return alias
    known: Any = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    found = known.get("models", known).get(alias, alias)
    return str(found.get("rid", alias)) if isinstance(found, dict) else str(found)


def _connected() -> NotebookHost:
    if _host is None:
        raise NeedsFoundryError(
            "palantir_models.code_workspaces", "no workspace is connected.",
            "Call mirror.models.notebook.connect('.mirror') first; in Foundry leave that line out.",
        )  # fmt: skip
    return _host


class ModelOutput(Named):
    """A model to publish versions of."""

    @known_arguments("ModelOutput")
    def __init__(self, alias: str) -> None:
        self.alias = alias

    def publish(
        self, model_adapter: ModelAdapter, change_type: ModelVersionChangeType | str | None = None, **more: Any
    ) -> str:
        """Stores the adapter as a new version, visible at once; returns the version's rid."""
        host = _connected()
        port = host.write(resolve_alias(self.alias))
        rid = WritableModel(port).publish(model_adapter, change_type=change_type, **more)
        host.commit(port)
        return rid


class ModelInput(Named):
    """A model to look at; not an adapter itself."""

    @known_arguments("ModelInput")
    def __init__(self, alias: str, branch: str | None = None, model_version: str | None = None) -> None:
        self.alias, self.branch, self.model_version = alias, branch, model_version

    def download_files(self) -> str:
        """The version's files in a new temporary folder."""
        target = tempfile.mkdtemp(prefix="model-files-")
        shutil.copytree(self._port().state_directory(), target, dirs_exist_ok=True)
        return target

    def initialize_adapter(self, adapter_class: type[ModelAdapter]) -> ModelAdapter:
        """The version loaded by the given class."""
        port = self._port()
        adapter = load_state(adapter_class, ModelStateReader(port.state_directory()))
        version = LoadedVersion(port.model_version_rid, port.model_rid, port.branch, None, port)
        object.__setattr__(adapter, "_version", version)
        return adapter

    def deploy(self, cpu: float = 1, memory: str = "4GB", max_replicas: int = 1) -> NoReturn:
        """Workspace deployments run in Foundry; locally the adapter answers in this process."""
        raise NeedsFoundryError(
            f"deploy({self.alias!r})", "workspace deployments run in Foundry only.",
            "Call initialize_adapter(AdapterClass).transform(...) here.",
        )  # fmt: skip

    def _port(self) -> ModelReadPort:
        return _connected().read(resolve_alias(self.alias), self.branch, self.model_version)
