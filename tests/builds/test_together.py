"""Jobs and builds at the same time."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time

import pytest

from mirror.builds import build, publish
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


FLAKY = """
from transforms.api import Output, transform

CALLS = []

@transform.using(out=Output("/out"))
def flaky(out):
    CALLS.append(len(CALLS))
    with out.filesystem().open(f"try{{CALLS[-1]}}", "w") as stream:
        stream.write("x")
    if len(CALLS) < 3:
        raise {error}
"""


def test_what_may_pass_is_tried_again_and_a_verdict_is_not(repository, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    monkeypatch.setattr(sys.modules["mirror.builds.run"], "SLEEP", pauses.append)
    r = repository()
    r.write("flaky", FLAKY.format(error='ConnectionResetError("the store went away")'))
    result = r.result(r.build(retries=2), "flaky")
    assert (result.status.value, pauses) == ("succeeded", [1.0, 2.0])
    assert result.warnings[0] == "attempt 1 failed and was repeated: the store went away"
    view = r.workspace.store.view(r.workspace.store.dataset("/out"))
    assert [f.path for f in view.files] == ["try2"]
    pauses.clear()
    r.write("flaky", FLAKY.format(error='ValueError("wrong data")'))
    assert r.result(r.build(retries=2), "flaky").status.value == "failed"
    assert pauses == []


ENDLESS = """
import time
from pathlib import Path
from transforms.api import Input, Output, transform

@transform.using(out=Output("/out"))
def endless(out):
    with out.filesystem().open("x", "w") as stream:
        stream.write("x")
    Path({flag!r}).touch()
    while True:
        time.sleep(0.01)

@transform.using(after=Output("/after"), out=Input("/out"))
def after(after, out):
    raise AssertionError("never")
"""


@pytest.mark.nightly
def test_ctrl_c_aborts_cleanly(repository) -> None:
    r = repository()
    flag = r.root / "running"
    r.write("endless", ENDLESS.format(flag=str(flag)))
    command = [sys.executable, "-c", "import sys; from mirror.cli import run; sys.exit(run(sys.argv[1:]))"]
    place = str(r.workspace.path)
    process = subprocess.Popen(
        [*command, "--workspace", place, "--json", "build"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    while not flag.exists() and process.poll() is None:
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 1, err
    document = json.loads(out)
    assert document["status"] == "cancelled"
    assert [job["status"] for job in document["jobs"]] == ["cancelled", "cancelled"]
    store = r.workspace.store
    assert [x.status.value for x in store.history(store.dataset("/out"))] == ["ABORTED"]
    assert store.find("/after") is None


HELD = """
import time
from pathlib import Path

def held(raw, name):
    def wait(parts):
        folder = Path({folder!r})
        (folder / f"{{name}} runs").touch()
        until = time.monotonic() + 60
        while not (folder / f"{{name}} may end").exists():
            assert time.monotonic() < until
            time.sleep(0.02)
        yield from parts
    return raw.mapInPandas(wait, "v long")

@transform_df(Output("/patient"), raw=Input("/raw"))
def patient(raw):
    return held(raw, "patient")

@transform_df(Output("/cancelled"), raw=Input("/raw"))
def cancelled(raw):
    return held(raw, "cancelled")

@transform(out=Output("/fails"), raw=Input("/raw"))
def fails(out, raw):
    while not (Path({folder!r}) / "cancelled runs").exists():
        time.sleep(0.02)
    raise ValueError("no")
"""


@pytest.mark.nightly
def test_a_build_that_gives_up_stops_its_own_spark_jobs_and_nobody_elses(repository) -> None:
    """Two builds share a session; one of them aborts on failure while both wait for a task of theirs."""
    r = repository()
    r.put("/raw", {"v": [1]})
    r.write("held", HELD.format(folder=str(r.root)))
    publish(r.workspace, "master")
    publish(r.workspace, "feature")
    done = {}
    thread = threading.Thread(target=lambda: done.update(master=r.build("/patient", retries=0)))
    thread.start()
    try:
        while not (r.root / "patient runs").exists():
            time.sleep(0.01)
        other = r.build(
            "/cancelled", "/fails", branch="feature", fallbacks=("master",), jobs=2, retries=0, abort_on_failure=True
        )
    finally:
        (r.root / "patient may end").touch()
        thread.join()
    assert {name: status for name, (status, _) in r.outcome(other).items() if status != "skipped"} == {
        "cancelled": "cancelled",
        "fails": "failed",
    }
    assert done["master"].status == "succeeded"
    assert r.rows("/patient") == [(1,)]
