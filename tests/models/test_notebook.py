"""Notebooks publish into and load from a workspace, outside any job."""

from __future__ import annotations

import pandas as pd
import pytest
from threshold_adapter import Threshold

from foundry.transforms import Column, Dataset
from mirror.datasets import Workspace
from mirror.datasets.errors import DatasetNotFoundError, NoViewError
from mirror.datasets.notebook import DatasetsHost
from mirror.models import ModelRegistry
from mirror.models.errors import VersionNotFoundError
from mirror.models.notebook import connect, disconnect
from palantir_models import code_workspaces
from transforms.errors import NotAvailableError

from .conftest import FOREST


def test_a_notebook_version_is_visible_at_once_and_says_it_came_from_a_notebook(workspace: Workspace) -> None:
    host = connect(workspace.path)
    try:
        rid = code_workspaces.ModelOutput(FOREST).publish(Threshold(0.5, {"seed": 1}))
        loaded = code_workspaces.ModelInput(FOREST).initialize_adapter(Threshold)
        with pytest.raises(VersionNotFoundError, match="on branch 'develop'"):
            code_workspaces.ModelInput(FOREST, branch="develop").download_files()
    finally:
        disconnect(host)
    version = ModelRegistry(workspace).by_rid(rid)[1]
    assert (version.provenance["transform"], loaded.facts) == ("notebook", {"seed": 1})


def test_datasets_of_a_notebook_are_read_and_written_by_alias(workspace: Workspace, tmp_path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".foundry").mkdir()
    (tmp_path / ".foundry" / "aliases.yml").write_text("scores: {rid: /Fleet/notebook/scores}\n")
    host = connect(workspace.path)
    try:
        scores = Dataset.get("scores")
        scores.write_table(pd.DataFrame({"id": [1, 2], "x": [0.5, None]}))
        scores.set_write_mode("append").write_table(pd.DataFrame({"id": [3], "x": [1.5]}))
        kept = Dataset.get("/Fleet/notebook/scores").where(Column.get("id") > 1).read_table(format="arrow")
        with pytest.raises(NoViewError, match="'/Fleet/notebook/scores' holds nothing on branch 'develop'"):
            DatasetsHost(host.workspace, "develop").open("scores", for_writing=False)
        (tmp_path / "note.txt").write_text("n")
        Dataset.get("notes").upload_file(tmp_path / "note.txt")
        Dataset.get("scores").set_write_mode("append").abort()
        with pytest.raises(DatasetNotFoundError, match="'scoers'"):
            Dataset.get("scoers").read_table()
    finally:
        disconnect(host)
    assert kept.to_pylist() == [{"id": 2, "x": None}, {"id": 3, "x": 1.5}]
    store = workspace.store
    history = store.history(store.dataset("/Fleet/notebook/scores"))
    assert [(x.type.value, x.status.value) for x in history] == [
        ("SNAPSHOT", "COMMITTED"), ("APPEND", "COMMITTED"), ("SNAPSHOT", "ABORTED"),
    ]  # fmt: skip
    assert [f.path for f in store.view(store.dataset("notes")).files] == ["note.txt"]
    with pytest.raises(NotAvailableError, match=r"mirror\.models\.notebook\.connect"):
        Dataset.get("scores").read_table()
