"""Notebooks publish into and load from a workspace, outside any job."""

from __future__ import annotations

import pytest

from mirror.datasets import Workspace
from mirror.models import ModelRegistry
from mirror.models.errors import VersionNotFoundError
from mirror.models.notebook import connect
from palantir_models import code_workspaces

from .conftest import FOREST, Threshold


def test_a_notebook_version_is_visible_at_once_and_says_it_came_from_a_notebook(workspace: Workspace) -> None:
    host = connect(workspace.path)
    try:
        rid = code_workspaces.ModelOutput(FOREST).publish(Threshold(0.5, {"seed": 1}))
        loaded = code_workspaces.ModelInput(FOREST).initialize_adapter(Threshold)
        with pytest.raises(VersionNotFoundError, match="on branch 'develop'"):
            code_workspaces.ModelInput(FOREST, branch="develop").download_files()
    finally:
        code_workspaces.connect(None)
        host.workspace.close()
    version = ModelRegistry(workspace).by_rid(rid)[1]
    assert (version.provenance["transform"], loaded.facts) == ("notebook", {"seed": 1})
