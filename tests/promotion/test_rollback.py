"""A promotion is taken back as a whole, brought again, and the audit log alone tells what must be there."""

from __future__ import annotations

import pytest

from mirror.promotion import errors
from mirror.promotion.audit import read_audit
from mirror.promotion.history import replay
from mirror.promotion.promote import show_plan
from mirror.promotion.rollback import RollbackRequest, plan_rollback, resume_rollback, roll_back


def undo(world, name, *approvals, branch="release", reason="it floods people with alerts"):
    request = RollbackRequest(name, branch, world.path.parent / "workspace", approvals, reason)
    return roll_back(world.repository, request, clock=world.clock, heard=world.heard)


def in_order(world) -> bool:
    """Whether branches, trees and tags are what the log says."""
    told = replay(read_audit(world.repository))
    return all(
        world.head(branch) == commit and world.repository.tree(commit) == told.trees[branch]
        for branch, commit in told.branches.items()
    ) and all(world.git("rev-parse", f"{tag}^{{commit}}") == commit for tag, commit in told.tags.items())


def test_a_release_goes_back_as_a_whole(world):
    world.promote("feature/x", "staging", "Grace")
    before = world.head("release")
    world.promote("staging", "release", "Grace")
    released = world.head("release")

    with pytest.raises(errors.GateRefusedError, match="nobody of release manager approved taking release-1 back"):
        undo(world, "release-1", "Ada")
    with pytest.raises(errors.NothingToRollBackError, match=r"Did you mean 'release-1'\? Known: release-1"):
        undo(world, "release-2", "Grace")
    assert world.head("release") == released

    done = undo(world, "release-1", "Grace")

    assert done.entry["number"] == 2
    assert world.git("rev-parse", "release^") == released
    assert world.git("rev-parse", "release^{tree}") == world.git("rev-parse", f"{before}^{{tree}}")
    assert world.git("rev-parse", "release-1^{commit}") == released
    assert (world.path.parent / "workspace").read_text() == "fine\n"
    assert [entry["kind"] for entry in world.audit()] == ["promoted", "promoted", "rebuilt", "rolled back", "rebuilt"]
    assert in_order(world)


@pytest.mark.nightly
def test_what_was_taken_back_comes_again_with_the_next_promotion(world):
    world.promote("feature/x", "staging", "Grace")
    world.promote("staging", "release", "Grace")
    undo(world, "release-1", "Grace")
    # For git staging is merged already; here it is brought again, with everything that was taken back.
    plan = show_plan(world.repository, world.request("staging", "release"), clock=world.clock)
    assert [path for _, path in plan.files] == ["code.txt"]
    assert [commit.subject for commit in plan.commits if not commit.is_merge] == ["Read faster"]
    assert plan.notes[0].startswith("entry 2 was rolled back here (it floods people with alerts)")
    world.git("switch", "--quiet", "--create", "feature/y", "staging")
    world.commit("Read on", more_txt="more\n")
    world.promote("feature/y", "staging", "Grace")
    world.promote("staging", "release", "Grace")
    assert world.git("show", "release:code.txt", "release:more.txt") == "fine and fast\nmore"
    assert in_order(world)


@pytest.mark.nightly
def test_an_older_promotion_is_taken_out_from_under_later_ones_or_conflicts(world):
    world.promote("feature/x", "staging", "Grace")
    world.git("switch", "--quiet", "--create", "feature/y", "staging")
    world.commit("Read on", more_txt="more\n")
    world.promote("feature/y", "staging", "Grace")
    undo(world, "1", "Grace", branch="staging")
    assert world.git("show", "staging:code.txt", "staging:more.txt") == "fine\nmore"
    assert in_order(world)

    world.git("switch", "--quiet", "--create", "feature/z", "staging")
    world.commit("Read otherwise", more_txt="less\n")
    world.promote("feature/z", "staging", "Grace")
    same = world.untouched()
    with pytest.raises(errors.MergeConflictError, match=r"more\.txt"):
        undo(world, "2", "Grace", branch="staging")
    assert same()


@pytest.mark.nightly
def test_an_interrupted_rollback_keeps_promotions_out_until_it_is_finished(world, monkeypatch):
    class Killed(BaseException):
        pass

    def die(*_arguments: object) -> None:
        raise Killed

    world.promote("feature/x", "staging", "Grace")
    world.promote("staging", "release", "Grace")
    with monkeypatch.context() as patch:
        patch.setattr("mirror.promotion.git.Repository.move", die)
        with pytest.raises(Killed):
            undo(world, "release-1", "Grace")
    with pytest.raises(errors.UnfinishedPromotionError, match="mirror rollback --promotion release-1 --branch release"):
        world.promote("staging", "release", "Grace")
    request = RollbackRequest("release-1", "release", world.path.parent / "workspace")
    commit = resume_rollback(world.repository, request, clock=world.clock, heard=world.heard)
    assert world.head("release") == commit
    assert in_order(world)
    with pytest.raises(errors.NothingToResumeError):
        resume_rollback(world.repository, request, clock=world.clock, heard=world.heard)


def test_a_plan_changes_nothing_and_a_checked_out_branch_is_left_alone(world):
    world.promote("feature/x", "staging", "Grace")
    same = world.untouched()
    request = RollbackRequest("1", "staging", world.path.parent / "workspace")
    assert plan_rollback(world.repository, request, clock=world.clock).to_json()["promotion"] == 1
    assert same()
    world.git("switch", "--quiet", "staging")
    with pytest.raises(errors.TargetCheckedOutError):
        plan_rollback(world.repository, request, clock=world.clock)
