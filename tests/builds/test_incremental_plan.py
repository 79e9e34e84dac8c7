"""What a plan says of incremental jobs, what it refuses, and limits, branches and aborts over several builds."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from rich.console import Console

from mirror.builds import plan, publish, run
from mirror.builds.errors import DeclarationError, SameDatasetError
from mirror.builds.inspection import inspect
from mirror.cli.progress.lines import Lines

ADDS = "incremental: only additions since the last run"
FIRST = "snapshot: first build"

COPY = """
@incremental()
@job(out=Output("/c/out"), x=Input("/c/in"))
def copy(x, out):
    out.write_pandas(read(x))
"""
REQUIRED = COPY.replace("()", "(require_incremental=True)", 1)
LAST = COPY.replace("/out", "/last").replace("/in", "/out").replace("copy", "last")


def test_the_plan_says_how_and_the_report_agrees(single_node: Any, caplog: pytest.LogCaptureFixture) -> None:
    r = single_node
    r.write("jobs", COPY + LAST)

    def both() -> list[tuple[str, str, str]]:
        planned = {
            j["transform"]: j["mode"] for j in plan(r.workspace, publish(r.workspace, "master")).to_json()["jobs"]
        }
        return [(j["transform"], planned[j["transform"]], j["mode"]) for j in r.build().to_json()["jobs"]]

    r.event("c", "in SNAPSHOT 1")
    assert both() == [("copy", FIRST, FIRST), ("last", FIRST, FIRST)]
    r.event("c", "in APPEND 2")
    later = "decided when upstream has run: input /c/out is made first"
    assert both() == [("copy", ADDS, ADDS), ("last", later, ADDS)]
    assert not caplog.messages
    r.event("c", "in SNAPSHOT 3")
    (_, planned, ran), (_, waits, last) = both()
    assert (planned, waits) == (ran, later)
    assert last.startswith("snapshot: input /c/out was replaced by a SNAPSHOT ")
    # Foundry's driver log says so under this name.
    assert [r.name for r in caplog.records] == ["transforms.api._incremental"] * 2
    assert caplog.messages[0] == f"Not running incrementally: copy: {ran.removeprefix('snapshot: ')}"
    assert both() == [("copy", "", ""), ("last", "", "")]
    # People who watch read it before a job starts, and once more when it ended.
    r.event("c", "in APPEND 4")
    said = io.StringIO()
    r.build(watcher=Lines(Console(file=said, soft_wrap=True)))
    lines = [re.sub(r"\d+\.\d+ s", "? s", line).strip() for line in said.getvalue().splitlines()]
    assert lines == [
        f"run   copy: input /c/in has a new transaction ({ADDS})",
        f"succeeded copy (? s, 2 rows; {ADDS})",
        f"run   last: input /c/out will be rebuilt ({later})",
        f"succeeded last (? s, 2 rows; {ADDS})",
    ]
    # What comes between the plan and the run is told.
    r.event("c", "in APPEND 5")
    decided = plan(r.workspace, publish(r.workspace, "master"))
    r.event("c", "out APPEND 9")
    done = r.result(run(r.workspace, publish(r.workspace, "master"), decided), "copy")
    assert done.warnings == (f"the catalog changed since the plan, which said: {ADDS}",)
    assert "inconsistent: /c/out was last written by something else" in done.mode


def test_a_new_branch_goes_on_where_its_parent_stands(single_node: Any) -> None:
    r = single_node
    r.write("jobs", REQUIRED)
    r.event("c", "in SNAPSHOT 1")
    r.build()
    r.event("c", "in APPEND 2")
    report = r.build(branch="feature", fallbacks=("master",))
    assert r.result(report, "copy").mode == ADDS
    assert (r.rows("/c/out", "feature"), r.rows("/c/out")) == ([(1,), (2,)], [(1,)])


@pytest.mark.nightly
def test_one_dataset_read_as_increment_as_a_whole_and_on_another_branch(single_node: Any) -> None:
    r = single_node
    r.put("/c/in", {"v": [1]}, branch="dev")
    r.write(
        "jobs",
        """
    @incremental(snapshot_inputs=["whole"])
    @job(out=Output("/c/out"), new=Input("/c/in"), whole=Input("/c/in"), dev=Input("/c/in", branch="dev"))
    def counts(new, whole, dev, out):
        out.write_pandas(pd.DataFrame({"n": [len(read(new))], "w": [len(read(whole))], "d": [len(read(dev))]}))
    """,
    )
    r.event("c", "in SNAPSHOT 1 2")
    r.build()
    r.event("c", "in APPEND 3")
    assert r.result(r.build(), "counts").mode == ADDS
    assert r.rows("/c/out") == [(1, 3, 0), (2, 2, 1)]
    r.put("/c/in", {"v": [5]}, branch="dev")
    report = r.result(r.build(), "counts")
    assert report.reason == "input /c/in@dev has a new transaction"
    assert report.mode.startswith("snapshot: input /c/in@dev was replaced by a SNAPSHOT ")


DOUBLES = {
    "input_and_output": ('x=Input("ri.d"), out=Output("/c/in")', "input 'x' ('ri.d') and output 'out' ('/c/in')"),
    "two_outputs": ('out=Output("/c/in"), x=Output("ri.d")', "output 'out' ('/c/in') and output 'x' ('ri.d')"),
    "in_a_set": (
        'out=Output("/c/in"), x=InputSet(["/other", "ri.d"])',
        "input 'x' ('ri.d') and output 'out' ('/c/in')",
    ),
}


def test_a_dataset_under_two_names_is_refused_before_anything_runs(single_node: Any) -> None:
    r = single_node
    r.write("jobs", '@job(out=Output("/c/out"), x=Input("ri.d"), y=Input("/c/in"))\ndef double(x, y, out): pass\n')
    r.event("c", "in SNAPSHOT 1")
    r.workspace.store.rids["ri.d"] = "/c/in"
    # Read under two names: fine. Without the map the same code names two datasets.
    assert plan(r.workspace, publish(r.workspace, "master")).jobs[0].decision.value == "run"
    for declared, names in DOUBLES.values():
        r.write("jobs", f"@job({declared})\ndef double(x, out): pass\n")
        del r.workspace.store.rids["ri.d"]
        assert publish(r.workspace, "master").specs
        r.workspace.store.rids["ri.d"] = "/c/in"
        with pytest.raises(SameDatasetError) as refused:
            r.build()
        assert f"'/c/in' twice: {names} are the same dataset by the alias map" in str(refused.value)
        assert inspect(r.workspace).transforms[0].blocked == (str(refused.value),)
    assert [d.path for d in r.workspace.store.datasets()] == ["/c/in"]


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ("", ", which needs @incremental(v2_semantics=True)"),
        ("@incremental()", ", which needs @incremental(v2_semantics=True)"),
        ("@incremental(v2_semantics=True, snapshot_inputs=['x'])", " and is a snapshot input, which is always read"),
    ],
)
def test_a_limit_that_cannot_hold_is_refused_when_planned(single_node: Any, settings: str, says: str) -> None:
    single_node.write(
        "jobs", f'{settings}\n@transform(out=Output("/o"), x=Input("/i", transaction_limit=2))\ndef f(x, out): pass\n'
    )
    with pytest.raises(DeclarationError) as refused:
        publish(single_node.workspace, "master")
    assert f"input 'x' of transform 'f' has a transaction_limit{says}" in str(refused.value)
    assert "jobs.py:" in str(refused.value)


@pytest.mark.nightly
def test_a_transaction_limit_takes_batches(repository: Any) -> None:
    """Fact sheet 9.9: what a run adds, had before and has now."""
    r = repository()
    r.write(
        "c",
        """
    @incremental(v2_semantics=True, semantic_version=1)
    @transform(out=Output("/c/out"), raw=Input("/c/in", transaction_limit=3))
    def batches(ctx, raw, out):
        rows = ((mode, r.v) for mode in ("added", "previous", "current") for r in raw.dataframe(mode).collect())
        out.set_mode("replace")
        out.write_dataframe(ctx.spark_session.createDataFrame(list(rows), "mode string, v long"))
    """,
    )

    def batch() -> dict[str, str]:
        (job,) = r.build().jobs
        rows = r.rows("/c/out")
        return {"mode": job.mode} | {m: "".join(f"{v:x}" for mode, v in rows if mode == m) for m, _ in rows}

    for v in range(1, 8):
        r.event("c", f"in {'APPEND' if v > 1 else 'SNAPSHOT'} {v}")
    some = "; takes 3 of the {} new transactions of /c/in"
    assert batch() == {"mode": FIRST + some.format(7), "added": "123", "current": "123"}
    assert plan(r.workspace, publish(r.workspace, "master")).jobs[0].how == ADDS + some.format(4)
    assert batch() == {"mode": ADDS + some.format(4), "added": "456", "previous": "123", "current": "123456"}
    assert batch() == {"mode": ADDS, "added": "7", "previous": "123456", "current": "1234567"}
    assert r.build().status == "up to date"
    r.event("c", "code version=1 -> version=2")
    assert batch() == {
        "mode": "snapshot: semantic version 2 instead of 1" + some.format(7), "added": "123", "current": "123",
    }  # fmt: skip
    assert batch()["added"] == "456"
    r.event("c", "in UPDATE 8")
    planned = plan(r.workspace, publish(r.workspace, "master")).jobs[0].how
    (refused,) = r.build().jobs
    assert planned == refused.mode
    assert planned.startswith("refused: input /c/in has a transaction_limit and its view holds a UPDATE ")
    assert "Build2:InvalidTransactionTypeForBatchInputResolution" in refused.error


@pytest.mark.nightly
def test_aborting_outputs_one_by_one(repository: Any) -> None:
    """Fact sheet 9.8."""
    r = repository()
    code = """
    @incremental(v2_semantics=%s)
    @transform(out=Output("/c/out"), more=Output("/c/more"), x=Input("/c/in"))
    def both(x, out, more):
        out.write_dataframe(x.dataframe())
        more.write_dataframe(x.dataframe())
        found = [r.v for r in x.dataframe().collect()]
        more.abort() if 2 in found or 3 in found else None
        out.abort() if 3 in found else None
    """
    mixed = "snapshot: provenance records for the previous build are inconsistent: /c/out, /c/more were last written by"
    for v2, after in (
        (False, ADDS),
        (True, "snapshot: the last run aborted its outputs one by one; with v2_semantics"),
    ):
        r.write("c", code % v2)
        r.event("c", "in SNAPSHOT 1")
        r.build()
        r.event("c", "in APPEND 2")
        assert {o.dataset: o.type for o in r.build().jobs[0].outputs} == {"/c/out": "UPDATE", "/c/more": None}
        assert r.build().status == "up to date"
        r.event("c", "in SNAPSHOT 4")
        assert r.build().jobs[0].mode.startswith(mixed)
        r.event("c", "in APPEND 3")
        assert [o.type for o in r.build().jobs[0].outputs] == [None, None]
        # Nothing was read as far as the next run is concerned, so it is due, and under the older semantics goes on.
        again = plan(r.workspace, publish(r.workspace, "master")).jobs[0]
        assert again.reason == "input /c/in has a new transaction"
        assert again.how.startswith(after)
