"""Promotions on a real repository: what moves, what is written down, and that a refusal moves nothing."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from mirror.promotion import errors
from mirror.promotion.audit import read_audit
from mirror.promotion.journal import Journal
from mirror.promotion.promote import promote, resume, show_plan
from mirror.promotion.publish import publish_audit


def test_a_feature_reaches_staging_and_then_release(world):
    before = world.git("rev-parse", "feature/x")
    started_at = world.head("staging")

    outcome = world.promote("feature/x", "staging", "Grace")

    assert world.gates == ["lint PASS", "contract_compatibility PASS", "approvals PASS"]
    merge = world.head("staging")
    assert outcome.merge == merge
    assert outcome.tag is None
    assert world.git("rev-parse", "staging^1", "staging^2").split() == [started_at, before]
    assert world.git("show", "staging:code.txt") == "fine and fast"
    assert world.git("log", "-1", "--format=%B", "staging").endswith("Approved-by: Grace <grace@example.org>")
    assert world.git("branch", "--show-current") == "feature/x"
    assert world.git("status", "--porcelain") == ""
    assert len(world.git("worktree", "list").splitlines()) == 1

    world.git("config", "user.email", "robot@example.org")
    outcome = world.promote("staging", "release", "Grace")

    assert outcome.tag == "release-1"
    assert outcome.rebuilt
    assert world.git("rev-parse", "release-1^{commit}") == world.head("release")
    assert (world.path.parent / "workspace").read_text() == "fine and fast\n"
    entries = read_audit(world.repository)
    assert [entry["kind"] for entry in entries] == ["promoted", "promoted", "rebuilt"]
    assert entries[0]["target"] == {"branch": "staging", "before": started_at, "after": merge}
    assert entries[0]["by"] == "Ada <ada@example.org>"
    assert entries[1]["by"] == "Ada <robot@example.org>"
    assert entries[1]["tag"] == "release-1"
    assert entries[1]["approvals"] == ["Grace"]
    assert str(entries[0]["at"]).startswith("2026-01-01T00:00:")
    assert [len(gate["evidence"]) for gate in entries[0]["gates"]] == [64, 64, 64]


def test_the_plan_says_what_would_move_and_moves_nothing(world):
    world.commit(
        "Drop the reading",
        contracts__readings_yaml=(world.path / "contracts/readings.yaml")
        .read_text()
        .replace(
            "  - {name: value, type: double, nullable: true, meaning: reading}\n",
            "  - {name: note, type: string, nullable: true, meaning: remark}\n",
        ),
    )
    same = world.untouched()

    plan = show_plan(world.repository, world.request(), clock=world.clock)

    document = plan.to_json()
    assert [commit["subject"] for commit in document["commits"]] == ["Drop the reading", "Read faster"]
    assert document["files"] == [
        {"status": "M", "path": "code.txt"},
        {"status": "M", "path": "contracts/readings.yaml"},
    ]
    assert document["contracts"]["effect"] == "breaking"
    assert [(c["subject"], c["kind"], c["effect"]) for c in document["contracts"]["changes"]] == [
        ("readings.note", "added nullable", "compatible"),
        ("readings.value", "removed", "breaking"),
    ]
    assert same()
    assert world.audit() == []


@pytest.mark.nightly
def test_a_broken_contract_stops_by_name_unless_it_is_accepted_by_name(world):
    contract = (world.path / "contracts/readings.yaml").read_text()
    world.commit("Round the reading", contracts__readings_yaml=contract.replace("type: double", "type: float"))
    same = world.untouched()

    with pytest.raises(errors.GateRefusedError) as refusal:
        world.promote("feature/x", "staging", "Grace")

    assert "breaks readings.value" in str(refusal.value)
    assert "--accept 'readings.value=why every consumer is ready'" in str(refusal.value)
    assert same()
    assert [entry["kind"] for entry in world.audit()] == ["refused"]
    with pytest.raises(errors.UnknownAcceptanceError) as unknown:
        world.promote("feature/x", "staging", "Grace", accepted={"readings.valu": "r"})
    assert "Did you mean 'readings.value'?" in str(unknown.value)

    world.promote("feature/x", "staging", "Grace", accepted={"readings.value": "the only consumer reads float"})

    assert world.audit()[-1]["accepted"] == {"readings.value": "the only consumer reads float"}


def test_nobody_approves_their_own_change(world):
    same = world.untouched()
    with pytest.raises(errors.GateRefusedError) as own:
        world.promote("feature/x", "staging", "Ada")
    with pytest.raises(errors.GateRefusedError) as nobody:
        world.promote("feature/x", "staging")
    with pytest.raises(errors.UnknownPersonError) as unknown:
        world.promote("feature/x", "staging", "Grce")

    assert "Ada wrote part of this change and cannot approve it" in str(own.value)
    assert "--approve-as 'Grace'" in str(own.value)
    assert "nobody approved; needed: one person each of owner" in str(nobody.value)
    assert "Did you mean 'Grace'?" in str(unknown.value)
    assert same()


def test_every_gate_is_heard_when_one_says_no(world):
    world.commit("Spoil it", code_txt="bad\n")
    with pytest.raises(errors.GateRefusedError) as refusal:
        world.promote()
    assert world.gates == ["lint FAIL", "contract_compatibility PASS", "approvals FAIL"]
    assert "`grep -q fine code.txt` ended with 1" in str(refusal.value)


def test_gates_only_merges_nothing_and_leaves_no_entry(world):
    same = world.untouched()
    outcome = promote(
        world.repository,
        world.request("feature/x", "staging", "Grace"),
        clock=world.clock,
        heard=world.heard,
        gates_only=True,
    )
    assert [result.gate for result in outcome.gates] == ["lint", "contract_compatibility", "approvals"]
    assert outcome.merge is None
    assert same()
    assert world.audit() == []


def test_a_branch_cannot_loosen_the_policy_that_judges_it(world):
    policy = (world.path / "ci/branches.yml").read_text()
    world.commit(
        "Nobody needs approvals",
        ci__branches_yml=policy.replace("      approvals: {reason: four eyes, roles: [owner]}\n", ""),
    )
    with pytest.raises(errors.GateRefusedError, match="nobody approved"):
        world.promote()


@pytest.mark.nightly
def test_the_same_inputs_give_the_same_commits(world, tmp_path):
    shutil.copytree(world.path, tmp_path / "again" / "clone", symlinks=True)
    again = type(world)(tmp_path / "again" / "clone")
    assert world.promote("feature/x", "staging", "Grace").merge == again.promote("feature/x", "staging", "Grace").merge
    assert world.git("rev-parse", "refs/mirror/audit") == again.git("rev-parse", "refs/mirror/audit")


@pytest.mark.nightly
def test_a_failed_rebuild_keeps_the_merge_and_is_resumed(world):
    world.promote("feature/x", "staging", "Grace")
    workspace = world.path.parent / "workspace"
    workspace.mkdir()  # the rebuild command writes a file of this name

    with pytest.raises(errors.RebuildFailedError) as failure:
        world.promote("staging", "release", "Grace")
    assert "mirror promote staging --to release --resume" in str(failure.value)
    released = world.head("release")

    with pytest.raises(errors.NothingToResumeError, match="unfinished is the promotion of 'staging' to 'release'"):
        resume(world.repository, world.request("feature/x", "staging"), clock=world.clock, heard=world.heard)
    workspace.rmdir()
    outcome = resume(world.repository, world.request("staging", "release"), clock=world.clock, heard=world.heard)

    assert outcome.rebuilt
    assert (outcome.merge, world.head("release")) == (released, released)
    assert [entry["kind"] for entry in world.audit()] == ["promoted", "promoted", "rebuild failed", "rebuilt"]
    with pytest.raises(errors.NothingToPromoteError):
        resume(world.repository, world.request("staging", "release"), clock=world.clock, heard=world.heard)


@pytest.mark.nightly
def test_a_promotion_killed_before_its_references_moved_is_finished_by_resume(world, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_arguments: object) -> None:
        raise Killed

    before = world.head("staging")
    with monkeypatch.context() as patch:
        patch.setattr("mirror.promotion.git.Repository.move", die)
        with pytest.raises(Killed):
            world.promote("feature/x", "staging", "Grace")
    assert world.head("staging") == before

    with pytest.raises(errors.UnfinishedPromotionError) as unfinished:
        world.promote("feature/x", "staging", "Grace")
    assert "mirror promote feature/x --to staging --resume" in str(unfinished.value)
    outcome = resume(world.repository, world.request(), clock=world.clock, heard=world.heard)

    assert world.head("staging") == outcome.merge != before
    assert [entry["kind"] for entry in world.audit()] == ["promoted"]
    assert len(world.git("worktree", "list").splitlines()) == 1


def test_two_promotions_cannot_run_at_once(world):
    journal = Journal(world.repository.common_directory)
    with (
        journal.locked("Grace <grace@example.org>: feature/z -> staging"),
        pytest.raises(errors.PromotionLockedError) as held,
    ):
        world.promote("feature/x", "staging", "Grace")
    assert "Grace <grace@example.org>: feature/z -> staging" in str(held.value)
    world.promote("feature/x", "staging", "Grace")


@pytest.mark.nightly
def test_a_bare_remote_moves_first_and_its_refusal_moves_nothing(world, tmp_path):
    bare = tmp_path / "bare.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(bare)], check=True)
    world.git("remote", "add", "origin", str(bare))
    world.git("switch", "--quiet", "main")
    world.commit("Name the remote", ci__branches_yml="remote: origin\n" + (world.path / "ci/branches.yml").read_text())
    for branch in ("staging", "release"):
        world.git("branch", "--force", branch, "main")
    world.git("switch", "--quiet", "feature/x")
    world.git("rebase", "--quiet", "main")
    world.git("push", "--quiet", "origin", "staging", "release")
    hook = bare / "hooks" / "pre-receive"
    hook.write_text("#!/bin/sh\necho frozen until Monday >&2\nexit 1\n")
    hook.chmod(0o755)
    same = world.untouched()

    with pytest.raises(errors.RemoteRefusedError, match="frozen until Monday"):
        world.promote("feature/x", "staging", "Grace")
    assert same()
    assert world.audit() == []

    hook.unlink()
    merge = world.promote("feature/x", "staging", "Grace").merge
    there = world.git("ls-remote", "origin").splitlines()
    assert f"{merge}\trefs/heads/staging" in there
    assert f"{world.git('rev-parse', 'refs/mirror/audit')}\trefs/mirror/audit" in there

    other = type(world)(tmp_path / "other")
    subprocess.run(["git", "clone", "--quiet", "--branch", "staging", str(bare), str(other.path)], check=True)
    for key, value in {"user.name": "Grace", "user.email": "grace@example.org"}.items():
        other.git("config", key, value)
    other.git("switch", "--quiet", "--create", "feature/y")
    other.commit("Read from the side", side_txt="side\n")
    other.promote("feature/y", "staging", "Ada")
    assert [entry["number"] for entry in other.audit()] == [1, 2]

    # Both clones append to the log; the one that comes second fetches and follows.
    publish_audit(world.repository, "origin", {"kind": "noted"}, world.repository.identity(), world.clock)
    assert [entry["number"] for entry in world.audit()] == [1, 2, 3]

    world.git("switch", "--quiet", "--create", "feature/z", merge)
    world.commit("Read late", late_txt="late\n")
    with pytest.raises(errors.StaleBaseError, match="Read from the side"):
        world.promote("feature/z", "staging", "Grace")


@pytest.mark.nightly
def test_the_audit_log_notices_a_changed_line(world):
    world.promote("feature/x", "staging", "Grace")
    world.git("switch", "--quiet", "--create", "feature/y", "staging")
    world.commit("Read twice", code_txt="fine twice\n")
    world.promote("feature/y", "staging", "Grace")
    text = world.git("show", "refs/mirror/audit:audit.jsonl").replace('"Grace"', '"Ada"', 1) + "\n"
    repository = world.repository
    forged = repository.commit_tree(
        repository.file_tree({"audit.jsonl": text}), [], "x", repository.identity(), world.clock()
    )
    world.git("update-ref", "refs/mirror/audit", forged)
    with pytest.raises(errors.AuditBrokenError) as broken:
        read_audit(repository)
    assert "entry 2" in str(broken.value)


@pytest.mark.nightly
def test_a_protected_branch_that_moved_another_way_is_said_aloud(world):
    world.promote("feature/x", "staging", "Grace")
    world.git("switch", "--quiet", "staging")
    world.commit("Straight in", code_txt="fine, by hand\n")
    world.git("switch", "--quiet", "--create", "feature/y")
    world.commit("Read twice", side_txt="side\n")
    plan = show_plan(world.repository, world.request("feature/y"), clock=world.clock)
    assert [note.partition(" was left at ")[0] for note in plan.notes] == ["staging"]
    assert plan.notes[0].endswith("it was moved another way")


def test_a_clone_without_a_name_for_its_user_is_told_so(world, monkeypatch, tmp_path):
    world.git("config", "--unset", "user.email")
    world.git("config", "user.useConfigOnly", "true")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "none"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    with pytest.raises(errors.GitFailedError, match=r"user\.useConfigOnly|user\.email"):
        world.promote("feature/x", "staging", "Grace")
    assert Path(world.path, ".git/mirror").exists() is False
