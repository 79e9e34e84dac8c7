"""Differences between branches, read only where files differ."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mirror.datasets import DatasetStore, TransactionType, View, Workspace
from mirror.datasets.diff import ColumnChange, diff
from mirror.datasets.errors import DiffKeyError
from mirror.datasets.ingest import ingest


@pytest.fixture
def put_rows(workspace: Workspace, tmp_path: Path):
    def put(name: str, branch: str, kind: str = "APPEND", **columns: list) -> View:
        file = tmp_path / name
        pd.DataFrame(columns).to_parquet(file)
        ingest(workspace, "/d", [str(file)], branch=branch, kind=TransactionType(kind))
        return workspace.store.view(workspace.store.dataset("/d"), branch)

    return put


def test_rows_by_key(store: DatasetStore, put_rows) -> None:
    put_rows("shared.parquet", "master", k=[100, 101], x=[1.0, 2.0], s=["a", "b"])
    store.create_branch(store.dataset("/d"), "new", parent="master")
    old = put_rows("part.parquet", "master", k=[1, 2, 3, 4], x=[1.0, None, 3.0, 4.0], s=["a", "b", None, "d"])
    new = put_rows(
        "part.parquet", "new", k=[2, 3, 4, 5, 6], x=[None, 3.5, None, 5.0, 6.0], s=["b", None, "d", "e", "f"]
    )
    found = diff(old, new, store.storage, ["k"])
    assert found.keys == {"added": 2, "removed": 1, "changed": 2}
    assert found.columns == (ColumnChange("x", 2, (1, 2), (3.5, 3.5)),)
    assert (found.rows, found.files, found.shared_files, found.identical) == ((6, 7), (2, 2), 1, False)
    # Shared files are not opened at all.
    shared = next(f for f in old.files if f.path == "shared.parquet")
    Path(old.root, shared.location).write_bytes(b"unreadable")
    assert diff(old, new, store.storage, ["k"]).keys == found.keys
    assert diff(old, new, store.storage).keys is None
    assert diff(old, old, store.storage, ["k"]).keys == {"added": 0, "removed": 0, "changed": 0}


def test_schema_changes_and_bad_keys(store: DatasetStore, put_rows) -> None:
    old = put_rows("a.parquet", "master", k=[1, 1], gone=[1, 2], kept=[1, 2])
    new = put_rows("b.parquet", "other", k=[1, 2], new=["x", "y"], kept=["1", "2"])
    assert diff(old, new, store.storage).schema == (
        "column 'new' (string) was added",
        "column 'gone' (long) was removed",
        "column 'kept' is string instead of long",
    )
    with pytest.raises(DiffKeyError, match="not unique on master: 1 repeated"):
        diff(old, new, store.storage, ["k"])
    with pytest.raises(DiffKeyError, match="no column 'nope'"):
        diff(old, new, store.storage, ["nope"])
    assert diff(new, new, store.storage, ["k"]).identical
