"""Hooks in real repositories: what a person can no longer do to a protected branch, and what still works."""

from __future__ import annotations

import subprocess

import pytest

from mirror.promotion import errors
from mirror.promotion.git import Repository, clean_environment
from mirror.promotion.hooks import hook_state, install_hooks, protected_branches


def said(path, *arguments: str) -> str:
    """What git says about a refusal; empty when it did as it was told."""
    done = subprocess.run(
        ["git", *arguments], cwd=path, capture_output=True, text=True, check=False, env=clean_environment()
    )
    return done.stderr if done.returncode else ""


@pytest.mark.nightly
def test_nobody_moves_a_protected_branch_by_hand(world):
    assert protected_branches(world.repository) == ("staging", "release")
    install_hooks(world.repository, ("staging", "release"))
    state = hook_state(world.repository, ("staging", "release"))
    assert (state.problem, state.protected) == ("", ("staging", "release"))
    before = world.head("release")

    world.git("switch", "--quiet", "staging")
    for arguments in (
        ("commit", "--allow-empty", "--no-verify", "-m", "straight in"),
        ("merge", "--quiet", "feature/x"),
        ("reset", "--quiet", "--hard", "feature/x"),
        ("branch", "--force", "release", "feature/x"),
        ("branch", "-D", "release"),
        ("update-ref", "-d", "refs/heads/release", before),
    ):
        assert "is protected: nobody moves it by hand" in said(world.path, *arguments), arguments
    world.git("switch", "--quiet", "feature/x")
    assert world.head("release") == before
    # Work goes on, references are packed, and promotions move what they must.
    world.commit("On my own branch", side_txt="side\n")
    assert said(world.path, "pack-refs", "--all") == ""
    world.promote("feature/x", "staging", "Grace")


def test_doctor_sees_a_hook_that_protects_nothing(world):
    hook = install_hooks(world.repository, ("staging",))
    protected = ("staging", "release")
    assert "it protects staging, the policy staging, release" in hook_state(world.repository, protected).problem
    install_hooks(world.repository, protected)
    text = hook.read_text()
    hook.chmod(0o644)
    assert "cannot be executed" in hook_state(world.repository, protected).problem
    hook.write_text(text.replace("exit 1", "exit 0"))
    assert "is not the one this version writes" in hook_state(world.repository, protected).problem
    hook.unlink()
    assert "anybody can commit to staging, release" in hook_state(world.repository, protected).problem
    hook.write_text("#!/bin/sh\nexit 0\n")
    with pytest.raises(errors.ForeignHookError):
        install_hooks(world.repository, protected)
    assert hook.read_text() == "#!/bin/sh\nexit 0\n"


@pytest.mark.nightly
def test_a_bare_repository_takes_only_what_is_in_the_audit_log(world, tmp_path):
    bare = tmp_path / "bare.git"
    world.git("init", "--quiet", "--bare", str(bare))
    world.git("remote", "add", "origin", str(bare))
    world.git("push", "--quiet", "origin", "main", "staging", "release")
    install_hooks(Repository(bare), ("staging", "release"))
    assert hook_state(Repository(bare), ("staging", "release")).problem == ""

    assert "no entry of the audit log names" in said(world.path, "push", "origin", "feature/x:staging")
    assert said(world.path, "push", "origin", ":release")
    world.promote("feature/x", "staging", "Grace")
    # The branch alone is not enough, and an audit log of another history is no log.
    assert "no entry of the audit log names" in said(world.path, "push", "origin", "staging")
    assert said(world.path, "push", "origin", "staging", "refs/mirror/audit") == ""
    world.git("update-ref", "refs/mirror/audit", world.git("commit-tree", "staging^{tree}", "-m", "forged"))
    assert "only added to" in said(world.path, "push", "--force", "origin", "refs/mirror/audit")
