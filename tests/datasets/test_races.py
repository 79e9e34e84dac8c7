"""Many threads and one branch: exactly one open transaction, no lost sequence number, on both databases."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from mirror.builds import journal
from mirror.builds import tables as t
from mirror.datasets import Dataset, TransactionStatus, TransactionType, Workspace
from mirror.datasets.errors import TransactionOpenError


@pytest.mark.parametrize("backend", ["sqlite", "postgresql"], indirect=True)
@pytest.mark.nightly
def test_writers_exclude_each_other(workspace: Workspace, dataset: Dataset, tmp_path: Path) -> None:
    store = workspace.store
    (tmp_path / "source").write_text("x")
    workspace.catalog.ensure(*t.ROOM)

    def write(number: int) -> bool:
        assert store.create("/same", exist_ok=True).path == "/same"
        try:
            with store.transaction(dataset, "master", TransactionType.APPEND) as opened:
                opened.add(tmp_path / "source", f"{number}.txt")
        except TransactionOpenError:
            return False
        journal.start_build(workspace, f"b{number}", ())
        return True

    with ThreadPoolExecutor(8) as pool:
        done = list(pool.map(write, range(24)))
    assert any(done)
    history = store.history(dataset)
    assert [x.sequence for x in history] == list(range(1, len(history) + 1))
    assert {x.status for x in history} == {TransactionStatus.COMMITTED}
    assert {f.path for f in store.view(dataset).files} == {f"{n}.txt" for n, ok in enumerate(done) if ok}
