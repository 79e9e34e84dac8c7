"""Another process holds the catalog's lock while a job computes: nothing is lost, and what may pass is tried again."""

from __future__ import annotations

import sqlite3
import subprocess
import sys

import pytest

from mirror.datasets import TransactionStatus

JOB = """
import sqlite3
from transforms.api import Output, transform

HELD = []

@transform.using(out=Output("/out"))
def locked(out):
    with out.filesystem().open("x", "w") as stream:
        stream.write("kept")
    if not HELD:
        HELD.append(sqlite3.connect({catalog!r}, isolation_level=None, check_same_thread=False))
        HELD[0].execute("BEGIN IMMEDIATE")
"""


@pytest.fixture
def locked(repository, monkeypatch: pytest.MonkeyPatch):
    """A repository whose job takes the catalog's lock when it runs for the first time, and a way to let go of it."""
    monkeypatch.setattr("mirror.datasets.catalog.BUSY_SECONDS", 0.05)
    r = repository()
    catalog = r.workspace.path / "catalog.sqlite"
    r.write("locking", JOB.format(catalog=str(catalog)))

    def release() -> None:
        (module,) = [m for name, m in sys.modules.items() if name == f"{r.package}.jobs.locking"]
        holder: sqlite3.Connection = module.HELD[0]
        holder.rollback()

    return r, release


def test_a_locked_catalog_is_tried_again(locked, monkeypatch: pytest.MonkeyPatch) -> None:
    r, release = locked
    monkeypatch.setattr(sys.modules["mirror.builds.run"], "SLEEP", lambda _seconds: release())
    result = r.result(r.build(retries=1), "locked")
    assert result.status.value == "succeeded"
    assert "attempt 1 failed and was repeated" in result.warnings[0]
    assert "locked" in result.warnings[0]


LOCKED_OUT = """
import sys
import mirror.datasets.catalog
mirror.datasets.catalog.BUSY_SECONDS = 0.05
from mirror.cli import run
sys.exit(run(sys.argv[1:]))
"""


@pytest.mark.nightly
def test_a_lock_that_stays_ends_the_build_and_the_next_one_completes(locked) -> None:
    r, _ = locked
    command = [sys.executable, "-c", LOCKED_OUT, "--workspace", str(r.workspace.path), "build"]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (ended.returncode, "(database is locked); nothing was changed, try again." in ended.stderr) == (2, True)
    r.write("locking", JOB.format(catalog="").replace("if not HELD", "if False"))
    assert r.build().status == "succeeded"
    store = r.workspace.store
    history = store.history(store.dataset("/out"))
    assert [x.status for x in history] == [TransactionStatus.ABORTED, TransactionStatus.COMMITTED]
    assert [f.path for f in store.view(store.dataset("/out")).files] == ["x"]
