"""Rollback (section 1.8), and what ancestry says about fallbacks (section 2.4)."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from mirror.datasets import Dataset, DatasetStore, TransactionType
from mirror.datasets.ancestry import mismatch
from mirror.datasets.collect import collect
from mirror.datasets.errors import (
    BranchNotFoundError,
    BranchProtectedError,
    TransactionNotFoundError,
    TransactionOpenError,
    TransactionStateError,
    TransactionSweptError,
)
from mirror.datasets.retention import plan_sweep, sweep
from mirror.datasets.rollback import plan_rollback, rollback

POSTGRES = pytest.param("postgresql", marks=pytest.mark.nightly)
both = pytest.mark.parametrize("backend", ["sqlite", POSTGRES], indirect=True)


def content(store: DatasetStore, dataset: Dataset, branch: str = "master") -> dict[str, str]:
    view = store.view(dataset, branch)
    return {f.path: Path(view.root, f.location).read_text() for f in view.files}


@both
def test_a_branch_ends_with_an_earlier_transaction_again(store: DatasetStore, dataset: Dataset, put) -> None:
    first = put("SNAPSHOT", {"A": "a"})
    second = put("APPEND", {"B": "b"})
    third = put("SNAPSHOT", {"C": "c"})
    store.create_branch(dataset, "f", parent="master")
    planned = plan_rollback(store, dataset, "master", first.rid)
    assert content(store, dataset) == {"C": "c"}
    done = rollback(store, dataset, "master", first.rid.rsplit(".", 1)[-1][:10])
    assert done == planned
    assert ([x.rid for x in done.undone], done.restored) == ([second.rid, third.rid], ())
    assert content(store, dataset) == {"A": "a"}
    # No other branch moves, and what was rolled back stays in the history.
    assert content(store, dataset, "f") == {"C": "c"}
    assert [x.rid for x in store.history(dataset)] == [first.rid, second.rid, third.rid]
    assert store.rolled_back(dataset) == {second.rid, third.rid}
    # Writing goes on from there: an APPEND may take the name that was rolled back.
    fourth = put("APPEND", {"B": "other"})
    assert fourth.parent == first.rid
    assert content(store, dataset) == {"A": "a", "B": "other"}
    # Forward again, to what another branch still shows.
    done = rollback(store, dataset, "master", third.rid)
    assert ([x.rid for x in done.undone], [x.rid for x in done.restored]) == ([fourth.rid], [second.rid, third.rid])
    assert content(store, dataset) == {"C": "c"}
    assert store.rolled_back(dataset) == {fourth.rid}
    # A branch of that name that was deleted has nothing to do with its successor.
    store.delete_branch(dataset, "master")
    store.create_branch(dataset, "master")
    assert store.rolled_back(dataset) == frozenset()


@both
def test_what_cannot_be_rolled_back_to(store: DatasetStore, dataset: Dataset, put, tmp_path: Path) -> None:
    first = put("SNAPSHOT", {"A": "a"})
    store.open_transaction(dataset, "master", TransactionType.APPEND).abort()
    aborted = store.history(dataset)[-1]
    last = put("SNAPSHOT", {"B": "b"})
    # Trap 8: on a branch that the dataset lacks, Foundry would roll a fallback branch back.
    with pytest.raises(BranchNotFoundError, match="no branch 'feature'"):
        rollback(store, dataset, "feature", first.rid)
    with pytest.raises(TransactionNotFoundError):
        rollback(store, dataset, "master", "nothing")
    with pytest.raises(TransactionStateError, match="ABORTED"):
        rollback(store, dataset, "master", aborted.rid)
    opened = store.open_transaction(dataset, "master", TransactionType.APPEND)
    with pytest.raises(TransactionOpenError):
        rollback(store, dataset, "master", first.rid)
    opened.abort()
    store.protect_branch(dataset, "master")
    with pytest.raises(BranchProtectedError, match="before rolling it back"):
        rollback(store, dataset, "master", first.rid)
    store.protect_branch(dataset, "master", False)
    sweep(store, plan_sweep(store, dataset, keep_views=1))
    collect(store)
    with pytest.raises(TransactionSweptError):
        rollback(store, dataset, "master", first.rid)
    assert store.view(dataset).end_rid == last.rid


MASTER = {"master": None, "f": "master"}
TOWER = {"master": None, "develop": "master", "f": "develop"}


@pytest.mark.parametrize(
    ("parents", "fallbacks", "said"),
    [
        (MASTER, (), None),
        (MASTER, ("master",), None),
        (MASTER, ("develop", "master"), None),
        (TOWER, ("develop", "master"), None),
        (TOWER, ("master",), None),
        (TOWER, ("missing",), None),
        (TOWER, ("master", "develop"), "its ancestry 'f -> develop -> master' is in another order"),
        (
            {**MASTER, "develop": None},
            ("develop", "master"),
            "it comes from 'master' (f -> master), not from the fallback",
        ),
        ({"master": None, "f": None}, ("master",), None),
        ({"master": None}, ("master",), None),
        ({"f": "g", "g": "f"}, ("g",), None),
    ],
)
def test_fallbacks_against_ancestry(parents: Mapping[str, str | None], fallbacks: tuple[str, ...], said: str | None):
    found = mismatch("f", parents, fallbacks)
    assert (found is None) == (said is None)
    assert said is None or said.replace("'f -> develop -> master'", "f -> develop -> master") in str(found)
