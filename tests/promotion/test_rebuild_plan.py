"""What a target's data lacks: computed, taken over or left alone, decided from a catalog without a single row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from mirror.builds import JobSpec, ParamSpec, journal, tables
from mirror.builds.state import InputRange, OutputRecord, RunRecord
from mirror.datasets import TransactionType, Workspace
from mirror.datasets.errors import TransactionNotFoundError
from mirror.datasets.pointing import empty_branches, point_branch
from mirror.promotion.rebuild_plan import rebuild_plan


def spec(name: str, source: str, logic: str = "v1", **more: object) -> JobSpec:
    params = (
        ParamSpec("i", "dataset_input", "input", (source,)),
        ParamSpec("o", "dataset_output", "output", (f"/{name}",)),
    )
    return JobSpec(f"m:{name}", name, "m.py:1", "lightweight", logic, params, **more)  # type: ignore[arg-type]  # fields by name


SPECS = (spec("a", "/raw"), spec("b", "/a"), spec("c", "/raw"))


class Built:
    """A workspace in which jobs ran without running."""

    def __init__(self, folder) -> None:
        self.now = datetime(2026, 1, 1, tzinfo=UTC)
        self.workspace = Workspace.create(folder / ".mirror", repository=folder, clock=self.clock)
        self.workspace.catalog.ensure(*tables.ROOM)
        self.heads: dict[str, str] = {}
        self.write("/raw", "master")

    def clock(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now

    def write(self, path: str, branch: str) -> str:
        opened = self.workspace.store.open_transaction(
            self.workspace.store.create(path, exist_ok=True), branch, TransactionType.SNAPSHOT
        )
        self.heads[path] = opened.commit().rid
        return self.heads[path]

    def run(self, job: JobSpec, branch: str, *, incremental: bool = False) -> str:
        build = journal.start_build(self.workspace, branch, ())
        ((_, source),), ((_, made),) = job.dataset_inputs(), job.dataset_outputs()
        opened = self.workspace.store.open_transaction(
            self.workspace.store.create(made, exist_ok=True),
            branch,
            TransactionType.UPDATE if incremental else TransactionType.SNAPSHOT,
        )
        started = journal.start_job(self.workspace, build, job, branch, "", self.workspace.clock())
        record = RunRecord(
            started,
            job.reference,
            job.logic_version,
            1,
            incremental,
            {source: InputRange("i", branch, self.heads[source], self.heads[source], self.heads[source])},
            {made: OutputRecord("o", opened.rid, None)},
        )
        opened.commit(lambda connection: journal.keep_run(connection, record, self.workspace.clock()))
        self.heads[made] = opened.rid
        return opened.rid

    def plan(self, *specs: JobSpec):
        return rebuild_plan(self.workspace, specs or SPECS, "release", "staging", ("master",))


@pytest.fixture
def built(tmp_path):
    found = Built(tmp_path)
    yield found
    found.workspace.close()


def test_what_master_computed_is_taken_over_and_what_changed_runs_with_what_follows(built):
    made = {job.output_paths[0]: built.run(job, "master") for job in SPECS}
    same = built.plan()
    assert (same.runs, same.reused) == ((), {path: ("master", rid) for path, rid in made.items()})

    changed = built.plan(replace(SPECS[0], logic_version="v2"), *SPECS[1:])
    assert [(job.outputs, job.reason) for job in changed.runs] == [
        (("/a",), "/a was never built on release"),
        (("/b",), "input /a will be rebuilt"),
    ]
    assert changed.reused == {"/c": ("master", made["/c"])}
    # Each job of the fixed clock took as long as its neighbours.
    assert {job.seconds for job in changed.runs} == {changed.runs[0].seconds}
    assert changed.seconds > 0
    assert changed.unmeasured == 0


def test_after_it_was_taken_over_it_is_up_to_date_until_an_input_moves(built):
    made = {job.output_paths[0]: built.run(job, "master") for job in SPECS}
    point_branch(built.workspace.store, "release", made, ("master",))
    assert (built.plan().fresh, built.plan().reused) == (3, {})
    built.write("/raw", "master")
    moved = built.plan()
    assert [job.reason for job in moved.runs] == [
        "input /raw has a new transaction",
        "input /a will be rebuilt",
        "input /raw has a new transaction",
    ]


def test_staging_gives_what_it_made_of_the_same_inputs_but_no_increments(built):
    first = {job.output_paths[0]: built.run(job, "master") for job in SPECS}
    point_branch(built.workspace.store, "release", first, ("master",))
    newer = [replace(job, logic_version="v2") for job in SPECS]
    snapshot = built.run(newer[0], "staging")
    increment = built.run(newer[2], "staging", incremental=True)
    plan = built.plan(newer[0], SPECS[1], newer[2])
    assert plan.reused == {"/a": ("staging", snapshot)}
    assert [job.outputs for job in plan.runs] == [("/b",), ("/c",)]
    assert increment not in str(plan.to_json())


def test_what_grew_is_gone_on_from_only_where_this_very_logic_made_all_of_it(built):
    grown = replace(SPECS[2], incremental={"semantic_version": 1})
    built.run(grown, "master")
    built.write("/raw", "master")
    second = built.run(grown, "master", incremental=True)
    assert built.plan(grown).reused == {"/c": ("master", second)}
    # One more reading: the target goes on from what master has, and computes the rest itself.
    built.write("/raw", "master")
    ahead = built.plan(grown)
    assert (ahead.reused, ahead.restarted) == ({"/c": ("master", second)}, ())
    assert [job.outputs for job in ahead.runs] == [("/c",)]
    # Other logic made the beginning, or continued it: the target begins with nothing.
    newer = replace(grown, logic_version="v2")
    last = built.run(newer, "master", incremental=True)
    for wanted in (newer, grown):
        begun = built.plan(wanted)
        assert (begun.reused, begun.restarted) == ({}, ("/c",))
        assert [job.outputs for job in begun.runs] == [("/c",)]
    empty_branches(built.workspace.store, "release", ("/c", "/new"), ("master",))
    views = [built.workspace.store.view(built.workspace.store.dataset(path), "release") for path in ("/c", "/new")]
    assert [view.end_rid for view in views] == [None, None]
    assert built.plan(newer).runs[0].reason == "/c was never built on release"
    # A branch that has something is left alone.
    empty_branches(built.workspace.store, "master", ("/c",), ())
    assert built.workspace.store.view(built.workspace.store.dataset("/c"), "master").end_rid == last


def test_a_branch_takes_only_committed_transactions_of_its_own_dataset(built):
    made = {job.output_paths[0]: built.run(job, "master") for job in SPECS[:2]}
    with pytest.raises(TransactionNotFoundError):
        point_branch(built.workspace.store, "release", {"/a": made["/a"], "/b": made["/a"]})
    dataset = built.workspace.store.dataset("/a")
    assert [branch.name for branch in built.workspace.store.branches(dataset)] == ["master"]
