"""Upkeep: old catalogs are upgraded, garbage goes, what anybody needs stays, damage is found."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from mirror.datasets import Dataset, DatasetStore, TransactionType, Workspace
from mirror.datasets import tables as t
from mirror.datasets.catalog import VERSION
from mirror.datasets.collect import collect, find_garbage
from mirror.datasets.errors import CatalogVersionError, TransactionNotFoundError, TransactionSweptError
from mirror.datasets.retention import pin, plan_retirement, plan_sweep, retire, sweep, unpin
from mirror.datasets.verify import verify

POSTGRES = pytest.param("postgresql", marks=pytest.mark.nightly)
both = pytest.mark.parametrize("backend", ["sqlite", POSTGRES], indirect=True)


def content(store: DatasetStore, dataset: Dataset, branch: str = "master", at: object = None) -> dict[str, str]:
    view = store.view(dataset, branch, at)  # type: ignore[arg-type]
    return {f.path: Path(view.root, f.location).read_text() for f in view.files}


def reflected(engine: sa.Engine) -> dict[str, list[tuple[str, str, bool]]]:
    inspector = sa.inspect(engine)
    return {
        table: [(c["name"], str(c["type"]), c["nullable"]) for c in inspector.get_columns(table)]
        for table in inspector.get_table_names()
        if table not in ("alembic_version",)
    }


@pytest.mark.nightly
def test_a_version_1_catalog_is_upgraded_by_init_and_kept_as_a_copy(tmp_path: Path) -> None:
    with Workspace.create(tmp_path / "new", repository=tmp_path) as new:
        expected = reflected(new.catalog.engine)
    with Workspace.create(tmp_path / "w", repository=tmp_path) as made:
        made.store.create("/kept")
        with made.catalog.writing() as connection:
            t.swept.drop(connection)
            t.pins.drop(connection)
            t.forced_snapshots.drop(connection)
            # as the checks made it then
            connection.exec_driver_sql("CREATE TABLE check_key_hashes (dataset TEXT, hashes BLOB)")
            connection.execute(t.catalog_version.update().values(version=1))
    with pytest.raises(CatalogVersionError, match="upgrade it with `mirror init`"):
        Workspace.open(tmp_path / "w")
    with Workspace.create(tmp_path / "w", repository=tmp_path) as again:
        assert [d.path for d in again.store.datasets()] == ["/kept"]
        assert reflected(again.catalog.engine) == expected
    copy = sa.create_engine(f"sqlite:///{tmp_path / 'w' / 'catalog.sqlite.version1'}")
    assert "swept" not in sa.inspect(copy).get_table_names()
    copy.dispose()


def test_migrations_are_numbered_without_gaps() -> None:
    folder = Path(t.__file__).parent / "migrations" / "versions"
    numbers = sorted(int(m[1]) for p in folder.glob("*.py") if (m := re.match(r"v(\d{4})_", p.name)))
    assert numbers == list(range(1, VERSION + 1))


@both
def test_garbage_is_what_nobody_needs(store: DatasetStore, dataset: Dataset, put, tmp_path: Path) -> None:
    put("SNAPSHOT", {"A": "a"})
    (tmp_path / "source").write_text("left behind")
    living = store.open_transaction(dataset, "master", TransactionType.APPEND)
    living.add(tmp_path / "source", "new")
    root = Path(store.storage.root)
    stray = root / dataset.rid.rsplit(".", 1)[-1] / "00000000-0000-0000-0000-000000000000"
    stray.mkdir()
    (stray / "x").write_text("stray")
    (root / "_scratch" / "gone").mkdir(parents=True)
    (root / "_scratch" / "gone" / "half").write_text("half")
    found = {Path(g.path).name: g.why for g in find_garbage(store)}
    assert found == {stray.name: "no transaction of that name", "gone": "unfinished writes"}
    assert stray.exists()
    assert {g.path for g in collect(store)} == {str(root / "_scratch" / "gone"), str(stray)}
    assert not stray.exists()
    living.commit()
    assert content(store, dataset) == {"A": "a", "new": "left behind"}
    assert find_garbage(store) == ()


@both
def test_sweeping_keeps_views_branches_and_pins(store: DatasetStore, dataset: Dataset, put) -> None:
    versions = [put("SNAPSHOT", {"A": str(n)}) for n in range(5)]
    store.create_branch(dataset, "old", parent="master", at=versions[0].rid)
    pin(store, [versions[2].rid, versions[2].rid], "model 1")
    pin(store, [versions[2].rid], "model 1")
    plan = plan_sweep(store, dataset, keep_views=2)
    assert [x.rid for x in plan.transactions] == [versions[1].rid]
    assert plan.pinned == {versions[2].rid: ("model 1",)}
    unpin(store, "model 1")
    plan = plan_sweep(store, dataset, keep_views=2)
    assert [x.rid for x in plan.transactions] == [versions[1].rid, versions[2].rid]
    assert plan.bytes == 2
    # A branch made after the plan is looked at again before anything is marked.
    store.create_branch(dataset, "late", parent="master", at=versions[2].rid)
    sweep(store, plan)
    assert len(collect(store)) == 1
    assert content(store, dataset, at=versions[3].rid) == {"A": "3"}
    assert (content(store, dataset, "old"), content(store, dataset, "late")) == ({"A": "0"}, {"A": "2"})
    with pytest.raises(TransactionSweptError, match="retention keeps 2 view"):
        store.view(dataset, at=versions[1].rid)
    assert plan_sweep(store, dataset, keep_views=2).transactions == ()
    recent = plan_sweep(store, dataset, keep_views=1, before=datetime(2025, 1, 1, tzinfo=UTC))
    assert recent.transactions == ()


@both
def test_retention_vector(store: DatasetStore, dataset: Dataset, put) -> None:
    """Vector 13: a policy on one branch must not mark what another branch's view needs."""
    put("APPEND", {"1": "1"})
    second = put("APPEND", {"2": "2"})
    third = put("SNAPSHOT", {"3": "3"})
    put("APPEND", {"4": "4"})
    store.create_branch(dataset, "xyz", parent="master", at=second.rid)
    put("APPEND", {"5": "5"}, branch="xyz")
    assert plan_sweep(store, dataset, keep_views=1).transactions == ()
    assert content(store, dataset, "xyz") == {"1": "1", "2": "2", "5": "5"}
    assert store.view(dataset).start_rid == third.rid


@both
def test_retiring_old_files_is_a_marked_delete(store: DatasetStore, dataset: Dataset, put) -> None:
    """Section 1.7: deleting from the latest view adds a DELETE; who else needs the bytes keeps them."""
    first = put("SNAPSHOT", {"1": "1", "also": "1"})
    second = put("UPDATE", {"2": "22", "also": "22"})
    third = put("APPEND", {"3": "333"})
    assert second.closed_at is not None
    planned = plan_retirement(store, dataset, "master", before=third.rid)
    assert ([f.path for f in planned.files], planned.swept) == (["1", "2", "also"], (first.rid, second.rid))
    assert (planned.bytes, planned.transaction) == (6, None)
    pin(store, [second.rid, "ri.unknown"], "model /m 1.0.0")
    retired = retire(store, dataset, "master", before=second.closed_at)
    assert retired.transaction is not None
    assert (retired.transaction.type, retired.transaction.retention) == (TransactionType.DELETE, True)
    # The pinned view still shows file 1, which lies in the first transaction.
    assert (retired.swept, retired.kept) == ((), {first.rid: ("model /m 1.0.0",)})
    assert content(store, dataset) == {"2": "22", "3": "333", "also": "22"}
    assert content(store, dataset, at=second.rid) == {"1": "1", "2": "22", "also": "22"}
    nothing = retire(store, dataset, "master", before=second.closed_at)
    assert (nothing.files, nothing.transaction) == ((), None)
    unpin(store, "model /m 1.0.0")
    store.create_branch(dataset, "f", parent="master")
    retired = retire(store, dataset, "master", before=third.rid.rsplit(".", 1)[-1][:10])
    assert (retired.swept, retired.kept) == ((first.rid,), {second.rid: ("branch f",)})
    assert content(store, dataset, "f") == {"2": "22", "3": "333", "also": "22"}
    retired = retire(store, dataset, "f", before=third.rid)
    assert (retired.swept, retired.bytes) == ((second.rid,), 4)
    assert [(g.why, g.bytes) for g in collect(store)] == [
        (f"retired: older than {third.rid.rsplit('.', 1)[-1][:10]}", 2),
        (f"retired: older than {third.rid}", 4),
    ]
    assert content(store, dataset) == content(store, dataset, "f") == {"3": "333"}
    assert verify(store) == ()
    with pytest.raises(TransactionSweptError, match="retired: older than"):
        store.view(dataset, at=second.rid)
    assert [f.path for f in store.view_until(dataset, "master", second.rid, without_swept=True).files] == []
    with pytest.raises(TransactionNotFoundError):
        retire(store, dataset, "master", before="nothing")


@both
def test_damage_is_found_and_located(store: DatasetStore, dataset: Dataset, put) -> None:
    put("SNAPSHOT", {"old": "old"})
    put("SNAPSHOT", {"gone": "1", "short": "22", "altered": "333", "fine": "4"})
    store.create_branch(dataset, "f", parent="master")
    assert verify(store) == ()
    root = store.storage.root
    files = {
        f.path: Path(root, f.location) for x in store.history(dataset) for f in store.view(dataset, at=x.rid).files
    }
    files["gone"].unlink()
    files["old"].unlink()
    files["short"].write_text("2")
    files["altered"].write_text("xxx")
    found = {d.path: (d.problem, d.in_view_of) for d in verify(store, dataset)}
    both = ("master", "f")
    assert found == {
        "old": ("missing", ()),
        "gone": ("missing", both),
        "short": ("has 1 bytes instead of 2", both),
        "altered": ("was altered (another checksum)", both),
    }
    assert {d.path for d in verify(store, checksums=False)} == {"old", "gone", "short"}
