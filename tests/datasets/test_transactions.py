"""Transactions, views and branches behave as the documentation's acceptance vectors say."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from mirror.datasets import Dataset, DatasetStore, TransactionStatus, TransactionType, View
from mirror.datasets import tables as t
from mirror.datasets.errors import (
    AmbiguousDatasetError,
    AppendOverwritesError,
    BranchExistsError,
    BranchNotFoundError,
    BranchProtectedError,
    DatasetExistsError,
    DatasetNameError,
    DatasetNotFoundError,
    DeleteMissingError,
    PathEscapesRootError,
    TransactionNotFoundError,
    TransactionOpenError,
    TransactionStateError,
)

# All of it on a real PostgreSQL in the nightly run; what locks and time travel stand on in every run.
POSTGRES = pytest.param("postgresql", marks=pytest.mark.nightly)
both_always = pytest.mark.parametrize("backend", ["sqlite", POSTGRES], indirect=True)
both = pytest.mark.parametrize("backend", ["sqlite", POSTGRES], indirect=True)


def content(view: View) -> dict[str, str]:
    return {f.path: Path(view.root, f.location).read_text() for f in view.files}


@both_always
def test_view_follows_the_four_types(store: DatasetStore, dataset: Dataset, put) -> None:
    """Vector 1."""
    put("SNAPSHOT", {"A": "a", "B": "b"})
    put("APPEND", {"C": "c"})
    put("UPDATE", {"A": "a2"})
    put("DELETE", delete=("B",))
    assert content(store.view(dataset)) == {"A": "a2", "C": "c"}
    put("SNAPSHOT", {"D": "d"})
    assert content(store.view(dataset)) == {"D": "d"}
    assert [x.type for x in store.history(dataset)].count(TransactionType.SNAPSHOT) == 2


@both
def test_view_may_start_with_an_append(store: DatasetStore, dataset: Dataset, put) -> None:
    put("APPEND", {"A": "a"})
    put("APPEND", {"B": "b"})
    view = store.view(dataset)
    assert list(content(view)) == ["A", "B"]
    assert view.start_rid == store.history(dataset)[0].rid


@both
def test_append_that_overwrites_fails_at_commit_and_moves_nothing(store: DatasetStore, dataset: Dataset, put) -> None:
    """Vector 2."""
    put("SNAPSHOT", {"A": "a"})
    before = store.view(dataset)
    with pytest.raises(AppendOverwritesError) as caught:
        put("APPEND", {"A": "other", "B": "b"})
    assert "'A'" in str(caught.value)
    assert "'/Fleet/raw/readings'" in str(caught.value)
    assert "use UPDATE" in str(caught.value)
    assert store.view(dataset).end_rid == before.end_rid
    assert content(store.view(dataset)) == {"A": "a"}
    assert store.history(dataset)[-1].status is TransactionStatus.ABORTED


@both
def test_aborted_files_leave_the_disk(store: DatasetStore, dataset: Dataset, put, tmp_path: Path) -> None:
    put("SNAPSHOT", {"A": "a"})
    with pytest.raises(AppendOverwritesError):
        put("APPEND", {"A": "other"})
    stored = [p for p in Path(store.storage.root).rglob("*") if p.is_file()]
    assert [p.read_text() for p in stored] == ["a"]


@both
def test_view_spans_branches_and_leaves_the_parent_alone(store: DatasetStore, dataset: Dataset, put) -> None:
    """Vector 3."""
    put("SNAPSHOT", {"A": "a"})
    put("APPEND", {"B": "b"})
    put("APPEND", {"C": "c"}, branch="f", fallbacks=("missing", "master"))
    assert list(content(store.view(dataset, "f"))) == ["A", "B", "C"]
    assert list(content(store.view(dataset, "master"))) == ["A", "B"]
    put("APPEND", {"D": "d"})
    assert list(content(store.view(dataset, "f"))) == ["A", "B", "C"]
    assert [b.parent for b in store.branches(dataset)] == [None, "master"]


@both_always
def test_one_open_transaction_per_branch(store: DatasetStore, dataset: Dataset, put) -> None:
    """Vector 4."""
    put("SNAPSHOT", {"A": "a"})
    opened = store.open_transaction(dataset, "master", TransactionType.APPEND)
    with pytest.raises(TransactionOpenError) as caught:
        store.open_transaction(dataset, "master", TransactionType.APPEND)
    assert opened.rid in str(caught.value)
    assert f"process {os.getpid()}" in str(caught.value)
    # A child of a branch with an open transaction is allowed; opening on the child is not, until the first is closed.
    store.create_branch(dataset, "child", parent="master")
    with pytest.raises(TransactionOpenError):
        store.open_transaction(dataset, "child", TransactionType.APPEND)
    # What a build creates on its way starts at what is committed: it need not wait for another branch.
    store.open_transaction(dataset, "build", TransactionType.APPEND, fallbacks=("master",)).abort()
    opened.abort()
    store.open_transaction(dataset, "child", TransactionType.APPEND).abort()
    assert list(content(store.view(dataset, "child"))) == ["A"]


@both
def test_the_database_itself_refuses_a_second_open_transaction(store: DatasetStore, dataset: Dataset) -> None:
    opened = store.open_transaction(dataset, "master", TransactionType.APPEND)
    row = {**vars(opened.record), "rid": "other", "sequence": 99}
    with pytest.raises(sa.exc.IntegrityError), store.catalog.writing() as connection:
        connection.execute(t.transactions.insert().values(**row))
    opened.abort()


@both
def test_abort_restores_the_former_head_and_is_repeatable(store: DatasetStore, dataset: Dataset, put) -> None:
    """Trap 1: an open transaction is the head, an aborted one never."""
    first = put("SNAPSHOT", {"A": "a"})
    opened = store.open_transaction(dataset, "master", TransactionType.SNAPSHOT)
    assert store.branches(dataset)[0].head == opened.rid
    opened.abort()
    opened.abort()
    assert store.branches(dataset)[0].head == first.rid
    with pytest.raises(TransactionStateError) as caught:
        opened.commit()
    assert "ABORTED" in str(caught.value)


@both
def test_transaction_of_a_dead_process_is_aborted_by_the_next(store: DatasetStore, dataset: Dataset, put) -> None:
    put("SNAPSHOT", {"A": "a"})
    code = (
        "import os, sys; from pathlib import Path; from mirror.datasets import *\n"
        "w = Workspace.open(Path(sys.argv[1])); s = w.store; d = s.dataset('readings')\n"
        "o = s.open_transaction(d, 'master', TransactionType.APPEND)\n"
        "o.add(Path(sys.argv[1], 'config.toml'), 'left'); os.kill(os.getpid(), 9)\n"
    )
    folder = Path(store.storage.root).parent
    killed = subprocess.run([sys.executable, "-c", code, str(folder)], check=False, capture_output=True)
    assert killed.returncode == -9
    assert list(content(store.view(dataset))) == ["A"]
    put("APPEND", {"B": "b"})
    assert list(content(store.view(dataset))) == ["A", "B"]
    assert [x.status.value for x in store.history(dataset)] == ["COMMITTED", "ABORTED", "COMMITTED"]
    assert not list(Path(store.storage.root).rglob("left"))


@both
def test_deleting_a_branch_reparents_children_and_keeps_transactions(
    store: DatasetStore, dataset: Dataset, put
) -> None:
    """Vector 5."""
    put("SNAPSHOT", {"A": "a"})
    store.create_branch(dataset, "x", parent="master")
    put("APPEND", {"X": "x"}, branch="x")
    store.create_branch(dataset, "y", parent="x")
    store.delete_branch(dataset, "x")
    assert {b.name: b.parent for b in store.branches(dataset)} == {"master": None, "y": "master"}
    assert list(content(store.view(dataset, "y"))) == ["A", "X"]


@both
def test_branch_from_an_earlier_transaction(store: DatasetStore, dataset: Dataset, put) -> None:
    first = put("SNAPSHOT", {"A": "a"})
    put("APPEND", {"B": "b"})
    store.create_branch(dataset, "old", parent="master", at=first.rid)
    assert list(content(store.view(dataset, "old"))) == ["A"]
    with pytest.raises(TransactionNotFoundError):
        store.create_branch(dataset, "wrong", parent="master", at="ri.foundry.main.transaction.nothing")


@both
def test_branch_errors_name_branch_and_way_out(store: DatasetStore, dataset: Dataset, put) -> None:
    put("SNAPSHOT", {"A": "a"})
    with pytest.raises(BranchNotFoundError, match=r"no branch 'mastr'\. Did you mean 'master'") as missing:
        store.view(dataset, "mastr")
    assert "Its branches: master" in str(missing.value)
    with pytest.raises(BranchExistsError, match="already has a branch 'master'"):
        store.create_branch(dataset, "master")
    store.protect_branch(dataset, "master")
    with pytest.raises(BranchProtectedError, match="unprotect it"):
        store.delete_branch(dataset, "master")


@both
def test_time_travel_by_transaction_short_id_and_time(store: DatasetStore, dataset: Dataset, put) -> None:
    first = put("SNAPSHOT", {"A": "a"})
    second = put("APPEND", {"B": "b"})
    put("SNAPSHOT", {"C": "c"})
    assert list(content(store.view(dataset, at=second.rid))) == ["A", "B"]
    assert list(content(store.view(dataset, at=first.rid.rsplit(".", 1)[-1][:10]))) == ["A"]
    assert list(content(store.view(dataset, at=second.closed_at))) == ["A", "B"]
    assert store.view(dataset, at=datetime(2025, 1, 1, tzinfo=UTC)).files == ()
    with pytest.raises(TransactionNotFoundError, match="mirror history"):
        store.view(dataset, at="nonsense")


@both
def test_delete_names_what_it_misses(store: DatasetStore, dataset: Dataset, put) -> None:
    put("SNAPSHOT", {"day-1.csv": "a"})
    with pytest.raises(DeleteMissingError, match=r"no file 'day-2\.csv'\. Did you mean 'day-1\.csv'"):
        put("DELETE", delete=("day-2.csv",))


@both
def test_dataset_names(store: DatasetStore, dataset: Dataset) -> None:
    assert store.dataset("readings") == store.dataset(dataset.rid) == store.dataset("raw/readings") == dataset
    with pytest.raises(DatasetNotFoundError) as caught:
        store.dataset("/Fleet/raw/readngs")
    assert "Did you mean '/Fleet/raw/readings'" in str(caught.value)
    assert caught.value.exit_code == 2
    other = store.create("/Other/readings")
    with pytest.raises(AmbiguousDatasetError, match="'readings' fits several datasets: /Fleet/raw/readings, /Other/re"):
        store.dataset("readings")
    with pytest.raises(DatasetExistsError):
        store.create("/Other/readings")
    assert store.create("/Other/readings", exist_ok=True) == other
    for wrong in ("", "/a/../b", "/ends/"):
        with pytest.raises(DatasetNameError, match="cannot name a dataset"):
            store.create(wrong)


@both
def test_same_history_has_the_same_identifiers(store: DatasetStore, dataset: Dataset, put) -> None:
    first = put("SNAPSHOT", {"A": "a"})
    assert dataset.rid == "ri.foundry.main.dataset.32d32fb1-5c21-560c-ae51-fa36820eafd2"
    again = DatasetStore(store.catalog, store.storage)
    assert again.history(again.dataset("readings"))[0].rid == first.rid


@pytest.mark.parametrize("path", ["../out", "/etc/out", "a/../../out", ""])
@both
def test_paths_stay_below_the_root(store: DatasetStore, dataset: Dataset, tmp_path: Path, path: str) -> None:
    (tmp_path / "source").write_text("x")
    opened = store.open_transaction(dataset, "master", TransactionType.APPEND)
    with pytest.raises(PathEscapesRootError, match="leaves"):
        opened.add(tmp_path / "source", path)
    opened.abort()


@both
def test_a_planted_link_leads_no_write_out(store: DatasetStore, dataset: Dataset, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "source").write_text("x")
    opened = store.open_transaction(dataset, "master", TransactionType.APPEND)
    folder = store.storage.directory(dataset.rid, opened.rid)
    folder.mkdir(parents=True)
    (folder / "sub").symlink_to(outside)
    with pytest.raises(PathEscapesRootError):
        opened.add(tmp_path / "source", "sub/file")
    assert list(outside.iterdir()) == []
    opened.abort()


@both
def test_checksums_sizes_and_odd_names_are_recorded(store: DatasetStore, dataset: Dataset, put) -> None:
    put("SNAPSHOT", {"a b/[x]*?{y}%41.csv": "odd"})
    file = store.view(dataset).files[0]
    assert file.path == "a b/[x]*?{y}%41.csv"
    assert file.size == 3
    assert file.sha256 == "990cb8ebd0afb7150da453a213036a92f2c05e091df0d803e62d257ea7796c27"
    assert "[" not in file.location
    assert Path(store.storage.root, file.location).read_text() == "odd"


@both_always
def test_several_transactions_commit_together_or_not_at_all(
    store: DatasetStore, dataset: Dataset, put, tmp_path
) -> None:
    put("SNAPSHOT", {"A": "a"})
    other = store.create("/other")
    (tmp_path / "source").write_text("x")
    good = store.open_transaction(other, "master", TransactionType.SNAPSHOT)
    good.add(tmp_path / "source", "fine")
    bad = store.open_transaction(dataset, "master", TransactionType.APPEND)
    bad.add(tmp_path / "source", "A")
    with pytest.raises(AppendOverwritesError):
        store.commit([good, bad])
    assert store.history(other)[0].status is TransactionStatus.OPEN

    def fail(_connection: object) -> None:
        raise RuntimeError("another room said no")

    with pytest.raises(RuntimeError, match="another room"):
        store.commit([good], fail)
    assert store.history(other)[0].status is TransactionStatus.OPEN
    good.abort()
    bad.abort()
    assert store.view(other).files == ()
