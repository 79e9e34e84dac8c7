"""From a breaking change on a feature branch to a release and back, with a bare remote and real builds."""

from __future__ import annotations

import json

import pytest
from fleet_repository import CLEAN, COUNT, Fleet, make_fleet

from mirror.datasets import Workspace
from mirror.promotion.audit import read_audit
from mirror.promotion.data_moves import heads_of
from mirror.promotion.git import Repository
from mirror.promotion.history import replay


@pytest.fixture
def fleet(tmp_path) -> Fleet:
    return make_fleet(tmp_path)


def heads(fleet: Fleet, branch: str) -> dict[str, str | None]:
    with Workspace.open(fleet.workspace) as workspace:
        return heads_of(workspace, branch)


def in_order(fleet: Fleet) -> bool:
    """What the log says is what is there: branches here and on the remote, trees, tags and data."""
    repository = Repository(fleet.path)
    told = replay(read_audit(repository))
    branches, tags = repository.branches(), repository.tags()
    there = dict(reversed(line.split("\t")) for line in fleet.git("ls-remote", "origin").splitlines())
    data: dict[tuple[str, str], str | None] = {}
    for branch in ("staging", "release"):
        data |= {(branch, path): head for path, head in heads(fleet, branch).items() if head is not None}
    return (
        all(branches[name] == there[f"refs/heads/{name}"] == commit for name, commit in told.branches.items())
        and all(repository.tree(branches[name]) == tree for name, tree in told.trees.items())
        and all(repository.run("rev-parse", f"{tag}^{{commit}}").strip() == commit for tag, commit in told.tags.items())
        and set(told.tags) == set(tags)
        and {key: head for key, head in told.data.items() if head is not None} == data
    )


@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_a_change_from_the_branch_to_the_release_and_back(fleet, capsys):
    assert fleet.apart("build").returncode == 0
    built = heads(fleet, "master")

    # A column gets another type: stopped by its name, on the consumer's behalf.
    fleet.git("switch", "--quiet", "--create", "feature/whole")
    fleet.commit("Whole values", clean=CLEAN.replace('"value": T.DoubleType()', '"value": T.LongType()'))
    arguments = ["promote", "feature/whole", "--to", "staging", "--repo", str(fleet.path)]
    assert fleet.mirror(*arguments, "--approve-as", "Grace") == 1
    said = capsys.readouterr().err
    assert "breaks /fleet/clean.value" in said
    assert "type changed from double to long" in said
    assert heads(fleet, "staging").keys() == built.keys()
    assert set(heads(fleet, "staging").values()) == {None}

    # The same idea without a break. Only what changed is computed: names is taken over from master.
    fleet.commit("Lower limit", clean=CLEAN.replace("LIMIT = 100.0", "LIMIT = 2.5"))
    capsys.readouterr()
    assert fleet.mirror("--json", *arguments, "--dry-run") == 0
    plan = json.loads(capsys.readouterr().out)["plan"]
    assert [(job["reference"], job["why"]) for job in plan["jobs"]["changed"]] == [
        (
            "fleet.clean:clean(/fleet/clean)",
            ["checks on 'out' changed", "its code changed: fleet/clean.py"],
        )
    ]
    assert plan["jobs"]["affected"] == ["/fleet/clean", "/fleet/counts"]
    assert [(c["subject"], c["kind"].partition(":")[0]) for c in plan["contracts"]["changes"]] == [
        ("/fleet/clean.value", "expectation tightened")
    ]
    rebuild = plan["rebuild"]["plan"]
    assert [job["outputs"] for job in rebuild["runs"]] == [["/fleet/clean"], ["/fleet/counts"]]
    assert rebuild["reused"] == {"/fleet/names": {"branch": "master", "transaction": built["/fleet/names"]}}
    assert rebuild["estimate"]["seconds"] > 0
    assert rebuild["estimate"]["jobs_without_history"] == 0

    assert fleet.mirror(*arguments, "--approve-as", "Grace") == 0
    staged = heads(fleet, "staging")
    assert staged["/fleet/names"] == built["/fleet/names"]
    assert staged["/fleet/clean"] not in (None, built["/fleet/clean"])
    assert in_order(fleet)

    # The first release has nothing to compute: staging did, with the same logic on the same inputs.
    release = ["promote", "staging", "--to", "release", "--repo", str(fleet.path)]
    assert fleet.mirror(*release, "--approve-as", "Grace") == 0
    first = heads(fleet, "release")
    assert {path: first[path] for path in ("/fleet/clean", "/fleet/counts", "/fleet/names")} == {
        path: staged[path] for path in ("/fleet/clean", "/fleet/counts", "/fleet/names")
    }
    assert in_order(fleet)

    # A second release halves the rows; the diff says so and somebody answers for it.
    fleet.git("switch", "--quiet", "--create", "feature/half", "staging")
    fleet.commit("Even lower", clean=CLEAN.replace("LIMIT = 100.0", "LIMIT = 1.5"))
    half = ["promote", "feature/half", "--to", "staging", "--repo", str(fleet.path), "--approve-as", "Ida"]
    assert fleet.mirror(*half) == 0
    capsys.readouterr()
    assert fleet.mirror(*release, "--approve-as", "Grace") == 1
    assert "/fleet/clean: rows 2 -> 1 (-50.0 %, limit 10 %)" in capsys.readouterr().err
    policy = (fleet.path / "ci" / "branches.yml").read_text()
    (fleet.path / "ci" / "branches.yml").write_text(
        policy.replace("max_null_change_points: 5}", "max_null_change_points: 5, override: [owner]}")
    )
    fleet.commit("Owners may override the diff", count=COUNT)
    assert fleet.mirror(*half) == 0
    override = ["--override", "data_diff=the limit is lower on purpose", "--override-as", "Ida"]
    # The policy that judges is release's own, which has no override yet: it gets there only past its own gate.
    capsys.readouterr()
    assert fleet.mirror(*release, "--approve-as", "Grace", *override) == 1
    assert "lets nobody override it" in capsys.readouterr().err
    assert in_order(fleet)

    # Back: code, data and JobSpecs at once, nothing is computed for it.
    undo = ["rollback", "--promotion", "release-1", "--branch", "release", "--repo", str(fleet.path)]
    assert fleet.mirror(*undo) == 0
    assert "would be without release-1" in capsys.readouterr().out
    assert fleet.mirror(*undo, "--apply", "--reason", "floods alerts") == 1
    assert "nobody of release manager approved" in capsys.readouterr().err
    assert fleet.mirror(*undo, "--apply", "--reason", "floods alerts", "--approve-as", "Grace") == 0
    assert fleet.git("show", "release:transforms-python/src/fleet/clean.py").count("LIMIT = 100.0") == 1
    assert in_order(fleet)
    with Workspace.open(fleet.workspace) as workspace:
        names = {dataset.path for dataset in workspace.store.datasets()}
    assert names == set(heads(fleet, "release"))
