"""Any sequence of promotions, refusals, kills and rollbacks leaves what the audit log says, and data of promoted logic.

The rebuild writes the code it was given into the workspace, as one dataset per branch and with every version it ever
had: what stands there must be the code of a commit that the log put on that branch.
"""

from __future__ import annotations

import contextlib
import random
from pathlib import Path

import pytest

from mirror.errors import MirrorError
from mirror.promotion.audit import read_audit
from mirror.promotion.history import MOVES, replay
from mirror.promotion.journal import Journal
from mirror.promotion.promote import resume
from mirror.promotion.rollback import RollbackRequest, resume_rollback, roll_back

REBUILD = """\
    rebuild:
      reason: data follows logic
      command: [sh, -c, 'mkdir -p "$0" && cat code.txt >> "$0/$1" && grep -q fine code.txt', "{workspace}", "{target}"]
      limit_seconds: 20
"""


class Killed(BaseException):
    pass


class History:
    """Random steps on one repository; the same seed gives the same history."""

    def __init__(self, world, seed: int) -> None:
        self.world, self.random, self.number = world, random.Random(seed), 0
        world.git("switch", "--quiet", "main")
        policy = (world.path / "ci/branches.yml").read_text()
        head, _, tail = policy.partition("  - from: staging\n")
        tail = tail[: tail.index("    rebuild:")]
        world.commit("Rebuild both", ci__branches_yml=f"{head}{REBUILD}  - from: staging\n{tail}{REBUILD}")
        world.git("branch", "--force", "staging", "main")
        world.git("branch", "--force", "release", "main")
        world.git("branch", "--delete", "--force", "feature/x")

    @property
    def data(self) -> Path:
        return self.world.path.parent / "workspace"

    def step(self, monkeypatch: pytest.MonkeyPatch) -> str:
        """One thing that people do, or that happens to them; what it was."""
        chosen = self.random.choice(
            (self.feature, self.feature, self.release, self.release, self.bad, self.undo, self.killed)
        )
        try:
            chosen(monkeypatch)
        except MirrorError as error:
            return f"{chosen.__name__}: {type(error).__name__}"
        return chosen.__name__

    def feature(self, _patch: pytest.MonkeyPatch, text: str = "fine") -> None:
        self.number += 1
        name = f"feature/{self.number}"
        self.world.git("switch", "--quiet", "--create", name, "staging")
        self.world.commit(f"Change {self.number}", code_txt=f"{text} {self.number}\n")
        self.world.promote(name, "staging", "Grace")

    def bad(self, patch: pytest.MonkeyPatch) -> None:
        self.feature(patch, "spoiled")

    def release(self, _patch: pytest.MonkeyPatch) -> None:
        self.world.promote("staging", "release", "Grace")

    def undo(self, _patch: pytest.MonkeyPatch) -> None:
        done = [e for e in read_audit(self.world.repository) if e["kind"] == "promoted"]
        if not done:
            return
        entry = self.random.choice(done)
        request = RollbackRequest(str(entry["number"]), entry["target"]["branch"], self.data, ("Grace",), "it was bad")
        roll_back(self.world.repository, request, clock=self.world.clock, heard=self.world.heard)

    def killed(self, patch: pytest.MonkeyPatch) -> None:
        where = self.random.choice(
            (
                "mirror.promotion.git.Repository.move",
                "mirror.promotion.journal.Journal.write",
                "mirror.promotion.journal.Journal.clear",
                "mirror.promotion.publish.run_command",
            )
        )
        what = self.random.choice((self.feature, self.release, self.undo))

        def die(*_arguments: object, **_more: object) -> None:
            raise Killed(where)

        with patch.context() as broken:
            broken.setattr(where, die)
            with contextlib.suppress(Killed):
                what(patch)
        self.finish()

    def finish(self) -> None:
        left = Journal(self.world.repository.common_directory).read()
        if left is None:
            return
        if left.kind == "rollback":
            request = RollbackRequest(left.name, left.target, self.data, ("Grace",))
            resume_rollback(self.world.repository, request, clock=self.world.clock, heard=self.world.heard)
        else:
            asked = self.world.request(left.source, left.target)
            resume(self.world.repository, asked, clock=self.world.clock, heard=self.world.heard)

    def check(self) -> None:
        entries = read_audit(self.world.repository)
        told = replay(entries)
        for branch, commit in told.branches.items():
            assert self.world.head(branch) == commit
            assert self.world.repository.tree(commit) == told.trees[branch]
        tags = {name: self.world.git("rev-parse", f"{name}^{{commit}}") for name in self.world.repository.tags()}
        assert tags == told.tags
        promoted: dict[str, set[str]] = {"staging": set(), "release": set()}
        for entry in entries:
            if entry["kind"] in MOVES:
                promoted[entry["target"]["branch"]].add(self.world.git("show", f"{entry['tree']}:code.txt"))
        for branch, codes in promoted.items():
            file = self.data / branch
            assert set(file.read_text().splitlines() if file.exists() else ()) <= codes
        assert len(self.world.git("worktree", "list").splitlines()) == 1


@pytest.mark.parametrize(
    ("seed", "steps"), [(2, 2), *(pytest.param(seed, 14, marks=pytest.mark.nightly) for seed in range(10, 22))]
)
def test_a_history(world, monkeypatch, seed, steps):
    history = History(world, seed)
    done = []
    for _ in range(steps):
        done.append(history.step(monkeypatch))
        history.check()
    assert len(done) == steps
    assert read_audit(world.repository), done
