"""What goes wrong while a promotion runs: it says so, and nothing is half done."""

from __future__ import annotations

import pytest

from mirror.cli import run
from mirror.promotion import errors


@pytest.fixture
def meddling(world):
    """A policy whose first gate runs a command of the test's choice in the repository."""

    def prepare(*command: str) -> None:
        world.git("switch", "--quiet", "main")
        policy = (world.path / "ci/branches.yml").read_text()
        meddler = ", ".join(f'"{part}"' for part in command)
        world.commit("Meddle", ci__branches_yml=policy.replace("[grep, -q, fine, code.txt]", f"[{meddler}]", 1))
        for branch in ("staging", "release"):
            world.git("branch", "--force", branch, "main")
        world.git("switch", "--quiet", "feature/x")
        world.git("rebase", "--quiet", "main")
        world.git("switch", "--quiet", "--detach")
        world.git("switch", "--quiet", "--create", "elsewhere")

    return prepare


@pytest.mark.nightly
def test_a_source_deleted_meanwhile_is_promoted_as_it_was_and_a_target_is_not_made_again(world, meddling):
    meddling("git", "branch", "-q", "-D", "feature/x")
    head = world.head("feature/x")
    world.promote("feature/x", "staging", "Grace")
    assert world.git("rev-parse", "staging^2") == head

    world.git("branch", "feature/y", "staging")
    world.git("switch", "--quiet", "feature/y")
    policy = (world.path / "ci/branches.yml").read_text().replace("feature/x", "staging")
    world.commit("Delete the target", ci__branches_yml=policy)
    world.git("branch", "--force", "staging", "feature/y")
    world.git("switch", "--quiet", "--create", "feature/z")
    world.commit("Work", more_txt="more\n")
    before = len(world.audit())
    with pytest.raises(errors.StaleBaseError, match="moved meanwhile"):
        world.promote("feature/z", "staging", "Grace")
    assert "refs/heads/staging" not in world.git("for-each-ref", "--format=%(refname)")
    assert len(world.audit()) == before
    assert len(world.git("worktree", "list").splitlines()) == 1


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ("protected: [staging\n", "ci/branches.yml on staging:2: not valid YAML"),
        ("protected: []\n", "ci/branches.yml on staging:1: the policy needs 'people'"),
    ],
)
def test_a_policy_that_is_none_promotes_nothing(world, capsys, policy, words):
    world.git("switch", "--quiet", "staging")
    world.commit("Spoil the policy", ci__branches_yml=policy)
    world.git("switch", "--quiet", "feature/x")
    same = world.untouched()
    arguments = ["promote", "feature/x", "--to", "staging", "--approve-as", "Grace", "--repo", str(world.path)]
    assert run(arguments) == 2
    assert words in capsys.readouterr().err
    assert same()


@pytest.mark.nightly
def test_an_approver_without_the_role_is_told_whose_turn_it_is(world, capsys):
    world.git("config", "user.email", "robot@example.org")
    world.git("commit", "--quiet", "--amend", "--reset-author", "--no-edit")
    world.promote("feature/x", "staging", "Grace")
    arguments = ["promote", "staging", "--to", "release", "--approve-as", "Ada", "--repo", str(world.path)]
    assert run(arguments) == 1
    said = capsys.readouterr().err
    assert "Ada cannot stand for release manager." in said
    assert "--approve-as 'Grace'" in said
