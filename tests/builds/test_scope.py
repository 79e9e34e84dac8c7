"""Build types, fallbacks of JobSpecs and abort-on-failure: acceptance vectors 6 to 9 of data branches and builds."""

from __future__ import annotations

import pytest

from mirror.builds import JobGraph, JobSpec, ParamSpec, plan
from mirror.builds import errors as e
from mirror.builds.published import as_published
from mirror.builds.scope import Scope
from mirror.datasets import TransactionType
from mirror.health.runs import Runs


def spec(name: str, reads: str, makes: str) -> JobSpec:
    inputs = []
    for read in reads.split():
        path, _, branch = read.partition("@")
        inputs.append(ParamSpec(f"i{path}", "dataset_input", "input", (path,), branch or None))
    return JobSpec(
        f"m:{name}", name, "m.py:1", "spark", "v", (*inputs, ParamSpec("o", "dataset_output", "output", (makes,)))
    )


# Vector 8: D1 -> D2 -> D4 -> D6 on master; D3 reads D2 of develop and feeds D5.
VECTOR_8 = (
    spec("d2", "/D1", "/D2"), spec("d4", "/D2", "/D4"), spec("d6", "/D4", "/D6"),
    spec("d3", "/D2@develop /D7", "/D3"), spec("d5", "/D3", "/D5"), spec("d8", "/D6", "/D8"),
)  # fmt: skip


def names(graph: JobGraph, *targets: str, **scope) -> list[str]:
    return [one.name for one in Scope(targets, **scope).select(graph)]


def test_full_single_and_connecting_builds() -> None:
    graph = JobGraph.of(VECTOR_8)
    assert names(graph) == ["d2", "d4", "d6", "d3", "d5", "d8"]
    assert names(graph, "/D6") == ["d2", "d4", "d6"]
    assert names(graph, "D5", "d4") == ["d2", "d4", "d3", "d5"]
    assert names(graph, "/D6", "/D5", only=True) == ["d6", "d5"]
    # Nothing upstream of what is ignored is built for its sake.
    assert names(graph, "/D6", "/D5", ignored=("/D4",)) == ["d6", "d3", "d5"]
    assert names(graph, "/D6", sources=("/D2",)) == ["d4", "d6"]
    # An input that lies between another input and a target is built.
    assert names(graph, "/D6", sources=("/D1", "/D4")) == ["d2", "d4", "d6"]
    assert names(graph, "/D6", "/D5", sources=("/D1", "/D7")) == ["d2", "d4", "d6", "d3", "d5"]


def test_a_leg_through_another_branch_is_no_way() -> None:
    graph = JobGraph.of(VECTOR_8)
    assert names(graph, "/D5", "/D6", sources=("/D1",)) == ["d2", "d4", "d6"]
    with pytest.raises(e.NoPathError, match="nothing leads from '/D1' to '/D5' on this branch"):
        names(graph, "/D5", sources=("/D1",))
    with pytest.raises(e.NoPathError, match="'/nowhere'"):
        names(graph, "/D5", sources=("/nowhere",))
    with pytest.raises(e.UnknownTargetError, match="'/D9'"):
        names(graph, "/D5", ignored=("/D9",))
    with pytest.raises(e.ScopeError, match=r"name the TARGETs of a connecting build.*\.$"):
        Scope(only=True)
    with pytest.raises(e.ScopeError, match="either of its TARGETs alone or"):
        Scope(("/D5",), sources=("/D1",), only=True)


COPY = """
from transforms.api import Input, Output, transform

def copy(name, source):
    @transform.using(out=Output(f"/{name}"), raw=Input(source))
    def compute(out, raw):
        with out.filesystem().open("x", "w") as stream:
            stream.write(raw.filesystem().open("x").read() + name)
    compute.__name__ = name
    return compute

b, c = copy("B", "/A"), copy("C", "/B")
"""


def text(r, path: str, branch: str) -> str | None:
    store = r.workspace.store
    dataset = store.dataset(path)
    if branch not in {one.name for one in store.branches(dataset)}:
        return None
    return (r.workspace.config.data_root / store.view(dataset, branch).files[0].location).read_text()


@pytest.mark.nightly
def test_a_branch_without_jobspecs_builds_those_of_its_fallback(repository) -> None:
    """Vectors 6 and 7."""
    r = repository()
    r.write("copies", COPY)
    with pytest.raises(e.NothingPublishedError, match="no JobSpec was published on 'develop' or its fallbacks master"):
        r.build(branch="develop", fallbacks=("master",), published=True)
    source = r.root / "x"
    source.write_text("a")
    store = r.workspace.store
    with store.transaction(store.create("/A"), "master", TransactionType.SNAPSHOT) as opened:
        opened.add(source, "x")
    assert r.build().status == "succeeded"

    report = r.build(branch="develop", fallbacks=("master",), published=True)
    assert r.outcome(report) == {
        "B": ("succeeded", "/B was never built on develop (JobSpec of master)"),
        "C": ("succeeded", "input /B will be rebuilt (JobSpec of master)"),
    }
    assert [text(r, path, "develop") for path in ("/A", "/B", "/C")] == [None, "aB", "aBC"]
    assert as_published(r.workspace, "develop", ("master",)).owners == {
        one.spec.reference: "master" for one in report.jobs
    }
    # The repository moves on: what master published can no longer be run from it, and nothing else is run instead.
    r.write("copies", COPY.replace("read() + name", "read() + name.lower()"))
    moved = r.build(branch="develop", fallbacks=("master",), published=True, force=True)
    assert {(status, reason.partition(" from")[0]) for status, reason in r.outcome(moved).values()} == {
        ("waiting", "its JobSpec was published on master")
    }
    with pytest.raises(e.WaitingTargetError, match="mirror --repository DIR build --published"):
        plan(
            r.workspace,
            as_published(r.workspace, "develop", ("master",)),
            ["/B"],
            "develop",
            fallbacks=("master",),
            force=True,
        )
    # Section 2.4, step 3: a branch that does not come from where the fallbacks say is not guessed at.
    for path in ("/A", "/B"):
        store.create_branch(store.dataset(path), "release", parent="master")
    with pytest.raises(e.FallbackMismatchError, match=r"'develop' of dataset '/B': it comes from 'master'"):
        r.build("/B", branch="develop", fallbacks=("release", "master"))
    # A spec of its own wins over the fallback's, output by output.
    assert r.outcome(r.build("/B", branch="develop", fallbacks=("master",)))["B"] == ("succeeded", "logic changed")
    assert text(r, "/B", "develop") == "ab"


FAIL = """
import threading
from transforms.api import Input, Output, transform

FAILED = threading.Event()

def touch(out):
    with out.filesystem().open("x", "w") as stream:
        stream.write("x")

@transform.using(out=Output("/A"))
def a(out):
    touch(out)

@transform.using(out=Output("/B"), a=Input("/A"))
def b(out, a):
    raise ValueError("no")

@transform.using(out=Output("/C"), b=Input("/B"))
def c(out, b):
    touch(out)

@transform.using(out=Output("/E"), a=Input("/A"))
def e(out, a):
    touch(out)
"""


def test_a_failure_spares_what_does_not_need_it_unless_told_to_abort(repository) -> None:
    """Vector 9."""
    r = repository()
    r.write("fails", FAIL)
    report = r.build()
    assert {name: status for name, (status, _) in r.outcome(report).items()} == {
        "a": "succeeded", "b": "failed", "c": "not run", "e": "succeeded",
    }  # fmt: skip
    # What never ran is known to the build, and is no job of its dataset.
    runs = Runs(r.workspace, "master")
    assert [run.status for run in runs.builds("/C")] == ["failed"]
    assert runs.jobs("/C") == ()
    report = r.build(force=True, abort_on_failure=True)
    assert r.outcome(report) == {
        "a": ("succeeded", "forced"),
        "b": ("failed", "forced"),
        "c": ("cancelled", "b failed"),
        "e": ("cancelled", "b failed"),
    }
    assert (report.status, int(report.exit_code)) == ("failed", 1)
