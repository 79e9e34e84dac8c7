"""Notebooks: ``palantir_models.code_workspaces`` and ``foundry.transforms.Dataset`` on a workspace of this machine."""

from __future__ import annotations

from pathlib import Path

import foundry.transforms
from mirror.datasets import Workspace
from mirror.datasets.notebook import DatasetsHost
from mirror.models import ledger
from mirror.models.errors import VersionNotFoundError
from mirror.models.ports import VersionReadPort, VersionWritePort
from mirror.models.registry import ModelRegistry
from palantir_models import code_workspaces
from palantir_models.ports import ModelReadPort, ModelWritePort


class WorkspaceHost:
    """Serves notebooks from one workspace; what they publish is visible at once, on one branch."""

    def __init__(self, workspace: Workspace, branch: str | None = None) -> None:
        self.workspace = workspace
        self.registry = ModelRegistry(workspace)
        self.branch = branch or workspace.config.default_branch

    def read(self, model: str, branch: str | None, version: str | None) -> ModelReadPort:
        """Pin, then branch, then the newest. Raises ModelNotFoundError, VersionNotFoundError."""
        found = self.registry.model(model)
        wanted = branch or self.branch
        chosen = self.registry.version(found, version) if version else self.registry.newest(found, wanted)
        if chosen is None:
            raise VersionNotFoundError(found.path, f"on branch {wanted!r}", ())
        return VersionReadPort(self.registry, found, chosen, wanted)

    def write(self, model: str) -> ModelWritePort:
        """A port that publishes on the host's branch."""
        provenance = {"inputs": [], "transform": "notebook", "branch": self.branch}
        return VersionWritePort(self.registry, self.registry.declared(model), self.branch, provenance)

    def commit(self, port: ModelWritePort) -> None:
        """Writes what was published down, with its audit entry."""
        assert isinstance(port, VersionWritePort)  # noqa: S101 - it came from write()
        with self.workspace.catalog.writing() as connection:
            for entry in port.staged:
                version = self.registry.record(connection, port.model, entry)
                detail = {"semantic": version.semantic, "branch": self.branch, "transform": "notebook"}
                now = self.workspace.clock()
                ledger.record(connection, now, "notebook", "publish", "done", port.model_rid, version.rid, detail)


def connect(path: str | Path = ".mirror", branch: str | None = None) -> WorkspaceHost:
    """Opens the workspace at ``path`` for this notebook. Raises WorkspaceNotFoundError."""
    host = WorkspaceHost(Workspace.open(Path(path)), branch)
    code_workspaces.connect(host)
    foundry.transforms.connect(DatasetsHost(host.workspace, host.branch))
    return host


def disconnect(host: WorkspaceHost) -> None:
    """Ends what :func:`connect` began."""
    code_workspaces.connect(None)
    foundry.transforms.connect(None)
    host.workspace.close()
