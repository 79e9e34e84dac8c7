"""``mirror promote`` as a person or a pipeline calls it: exit codes, stdout for results, stderr for progress."""

from __future__ import annotations

import json
import subprocess
import sys
import time

import pytest

from mirror.cli import run


def call(world, *arguments: str, json_too: bool = False) -> int:
    workspace = ["--workspace", str(world.path.parent / "workspace")]
    return run([*workspace, *(["--json"] if json_too else []), "promote", *arguments, "--repo", str(world.path)])


@pytest.mark.nightly
def test_from_the_plan_to_the_merge(world, capsys):
    assert call(world, "feature/x", "--to", "staging", "--dry-run") == 0
    shown = capsys.readouterr().out
    assert "feature/x" in shown
    assert "commits: 1, files: 1, jobs: 0 of 0, contracts: none" in shown
    assert "M code.txt" in shown
    assert "four eyes" in shown

    assert call(world, "feature/x", "--to", "staging") == 1
    streams = capsys.readouterr()
    assert streams.out == ""
    assert "fail approvals" in streams.err
    assert "error: 'feature/x' was not promoted to 'staging':" in streams.err

    assert call(world, "feature/x", "--to", "staging", "--approve-as", "Grace", json_too=True) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["merge"] == world.head("staging")
    assert [(g["gate"], g["outcome"]) for g in document["gates"]][-1] == ("approvals", "PASS")
    assert document["plan"]["target"]["branch"] == "staging"


def test_wrong_use_exits_with_2_and_says_how(world, capsys, tmp_path):
    assert call(world, "feature/x", "--to", "stagin") == 2
    assert "Did you mean 'staging'?" in capsys.readouterr().err
    assert call(world, "feature/x", "--to", "staging", "--accept", "readings.value") == 2
    assert "write SUBJECT=REASON" in capsys.readouterr().err
    assert call(world, "feature/x", "--to", "staging", "--dry-run", "--resume") == 2
    assert "exclude each other" in capsys.readouterr().err
    assert run(["promote", "a", "--to", "b", "--repo", str(tmp_path)]) == 2
    assert "not inside a git repository" in capsys.readouterr().err


@pytest.mark.nightly
def test_a_killed_promotion_leaves_nothing_in_the_way(world, tmp_path):
    begun = tmp_path / "begun"
    policy = world.path / "ci" / "branches.yml"
    slow = policy.read_text().replace("[grep, -q, fine, code.txt]", f"[sh, -c, 'touch {begun}; sleep 0.5']")
    world.git("switch", "--quiet", "staging")
    world.commit("A slow gate", ci__branches_yml=slow)
    world.git("switch", "--quiet", "feature/x")
    world.git("merge", "--quiet", "--message", "Catch up", "staging")
    before = world.head("staging")
    arguments = ["promote", "feature/x", "--to", "staging", "--approve-as", "Grace", "--repo", str(world.path)]
    script = "import sys; from mirror.cli import main; main(sys.argv[1:])"
    process = subprocess.Popen([sys.executable, "-c", script, *arguments], stderr=subprocess.DEVNULL)
    while not begun.exists():
        assert process.poll() is None
        time.sleep(0.05)
    process.kill()
    process.wait()
    assert len(world.git("worktree", "list").splitlines()) == 2
    assert world.head("staging") == before

    assert call(world, "feature/x", "--to", "staging", "--approve-as", "Grace", "--resume") == 0
    assert world.head("staging") != before
    assert len(world.git("worktree", "list").splitlines()) == 1
    assert [entry["kind"] for entry in world.audit()] == ["promoted"]


def test_a_rebuild_can_take_the_code_of_another_tree(tmp_path):
    from mirror.cli.context import CliContext
    from mirror.datasets import Workspace

    Workspace.create(tmp_path / "ws", repository=tmp_path / "checkout").close()
    before = (tmp_path / "ws" / "config.toml").read_text()
    with CliContext(str(tmp_path / "ws"), False, str(tmp_path / "tree")).open_workspace() as workspace:
        assert workspace.config.repository == tmp_path / "tree"
    with CliContext(str(tmp_path / "ws"), False).open_workspace() as workspace:
        assert workspace.config.repository == tmp_path / "checkout"
    assert (tmp_path / "ws" / "config.toml").read_text() == before
