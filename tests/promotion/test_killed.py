"""``kill -9`` at each step of a promotion and of a rollback, in a process of its own; ``--resume`` finishes it."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from mirror.cli import run
from mirror.promotion.audit import read_audit
from mirror.promotion.history import replay

SCRIPT = """\
import importlib, os, signal, sys

where, after, *arguments = sys.argv[1:]
module, _, name = where.partition(":")
owner = importlib.import_module(module)
*path, name = name.split(".")
for part in path:
    owner = getattr(owner, part)
original = getattr(owner, name)

def dying(*given, **more):
    if after == "after":
        original(*given, **more)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(owner, name, dying)
from mirror.cli import main
main(arguments)
"""

# Where the process dies, and whether the step it dies in was done.
GATES = [("mirror.promotion.promote:run_gates", "before"), ("mirror.promotion.promote:run_gates", "after")]
GOING_BACK = [("mirror.promotion.rollback:plan_rollback", "after"), ("mirror.promotion.rollback:_finish", "before")]
STEPS = [
    ("mirror.promotion.journal:Journal.write", "before"),
    ("mirror.promotion.journal:Journal.write", "after"),
    ("mirror.promotion.git:Repository.push", "after"),
    ("mirror.promotion.git:Repository.move", "before"),
    ("mirror.promotion.git:Repository.move", "after"),
    ("mirror.promotion.publish:run_command", "before"),
    ("mirror.promotion.publish:run_command", "after"),
    ("mirror.promotion.publish:publish_audit", "after"),
]


@pytest.fixture
def remote(world, tmp_path):
    """The world with a bare remote that both branches live on, ready to release."""
    bare = tmp_path / "bare.git"
    world.git("init", "--quiet", "--bare", str(bare))
    world.git("remote", "add", "origin", str(bare))
    world.git("switch", "--quiet", "main")
    world.commit("Name the remote", ci__branches_yml="remote: origin\n" + (world.path / "ci/branches.yml").read_text())
    for branch in ("staging", "release"):
        world.git("branch", "--force", branch, "main")
    world.git("switch", "--quiet", "feature/x")
    world.git("rebase", "--quiet", "main")
    world.git("push", "--quiet", "origin", "main", "staging", "release")
    world.promote("feature/x", "staging", "Grace")
    return world


def killed(world, where: str, when: str, arguments: list[str]) -> int:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, where, when, *arguments],
        capture_output=True,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
    )
    return done.returncode


def in_order(world) -> bool:
    told = replay(read_audit(world.repository))
    there = dict(reversed(line.split("\t")) for line in world.git("ls-remote", "origin").splitlines())
    return all(world.head(name) == there[f"refs/heads/{name}"] == commit for name, commit in told.branches.items())


@pytest.mark.nightly
@pytest.mark.parametrize(
    ("what", "where", "when"),
    [("promotion", *step) for step in GATES + STEPS] + [("rollback", *step) for step in GOING_BACK + STEPS],
)
def test_whatever_is_killed_is_finished(remote, what, where, when):
    workspace = ["--workspace", str(remote.path.parent / "workspace")]
    repo = ["--repo", str(remote.path)]
    release = [*workspace, "promote", "staging", "--to", "release", "--approve-as", "Grace", *repo]
    undo = [*workspace, "rollback", "--promotion", "release-1", "--branch", "release", *repo]
    undo += ["--approve-as", "Grace", "--reason", "it was bad", "--apply"]
    if what == "rollback":
        assert run(release) == 0
    before = remote.head("release")
    arguments = release if what == "promotion" else undo

    assert killed(remote, where, when, arguments) == -9

    # Without anything written down nothing was done that anybody could see, and the same command starts again.
    assert run([*arguments, "--resume"]) == 0 or (what == "rollback" and run(arguments) == 0)
    assert remote.head("release") != before
    assert in_order(remote)
    code = "fine and fast\n" if what == "promotion" else "fine\n"
    assert (remote.path.parent / "workspace").read_text() == code
    kinds = [entry["kind"] for entry in remote.audit()]
    wanted = "promoted" if what == "promotion" else "rolled back"
    assert kinds.count(wanted) == (2 if what == "promotion" else 1)
    assert kinds[-1] == "rebuilt"
    assert len(remote.git("worktree", "list").splitlines()) == 1
