"""Jobs and builds at the same time."""

from __future__ import annotations

import sys
import threading
import time

import pytest

from mirror.builds import build
from mirror.datasets.errors import WorkspaceLockedError

MEET = """
import threading
from transforms.api import Input, Output, transform

BARRIER = threading.Barrier(2, timeout=30)

@transform.using(out=Output("/left"))
def left(out):
    BARRIER.wait()
    with out.filesystem().open("x", "w") as stream:
        stream.write("left")

@transform.using(out=Output("/right"))
def right(out):
    BARRIER.wait()
    with out.filesystem().open("x", "w") as stream:
        stream.write("right")

@transform.using(both=Output("/both"), left=Input("/left"), right=Input("/right"))
def both(both, left, right):
    with both.filesystem().open("x", "w") as stream:
        stream.write(left.filesystem().open("x").read() + right.filesystem().open("x").read())
"""


def test_independent_jobs_run_at_the_same_time(repository) -> None:
    r = repository()
    r.write("meet", MEET)
    # Each of the two waits for the other: one after the other they would never end.
    report = r.build(jobs=2)
    assert {name: status for name, (status, _) in r.outcome(report).items()} == dict.fromkeys(
        ("left", "right", "both"), "succeeded"
    )
    view = r.workspace.store.view(r.workspace.store.dataset("/both"))
    assert (r.workspace.config.data_root / view.files[0].location).read_text() == "leftright"


HOLD = """
import threading
from transforms.api import Input, Output, transform

STARTED, GO = threading.Event(), threading.Event()

@transform.using(out=Output("/out"), raw=Input("/raw"))
def slow(ctx, out, raw):
    STARTED.set()
    assert GO.wait(30)
    with out.filesystem().open("x", "w") as stream:
        stream.write(raw.branch)
"""


def test_two_builds_share_inputs_but_not_a_branch(repository) -> None:
    r = repository()
    r.put("/raw", {"v": [1]})
    r.write("hold", HOLD)
    done = {}

    def one() -> None:
        done["master"] = r.build()

    thread = threading.Thread(target=one)
    thread.start()
    try:
        name = f"{r.package}.jobs.hold"
        while not hasattr(sys.modules.get(name), "GO"):
            time.sleep(0.01)
        module = sys.modules[name]
        assert module.STARTED.wait(30)
        with pytest.raises(WorkspaceLockedError):
            r.build()
        module.GO.set()
        other = r.build(branch="feature", fallbacks=("master",))
    finally:
        sys.modules[name].GO.set()
        thread.join()
    assert (done["master"].status, other.status) == ("succeeded", "succeeded")
    store = r.workspace.store
    out = store.dataset("/out")
    assert {b.name: len(store.view(out, b.name).files) for b in store.branches(out)} == {"master": 1, "feature": 1}
    assert build(r.workspace, spark=lambda: r.spark).status == "up to date"
