"""Any sequence of promotions, refusals, kills and rollbacks leaves what the audit log says, and data of promoted logic.

Every row says which version of which module made it (``stamped_repository``), and the builds are real: jobs, checks,
transactions, results taken over, pointers put back. Beside them people build what nobody promoted, on ``master`` and on
branches of their own, and new raw data comes in.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from stamped_repository import BUILD, JOBS, SOURCE, SPOILED, more_raw, rows, set_version, versions, write
from warm_process import DIES_AFTER, run_warm

from mirror.datasets import Workspace
from mirror.datasets import tables as t
from mirror.errors import MirrorError
from mirror.promotion.audit import read_audit
from mirror.promotion.data_moves import heads_of
from mirror.promotion.errors import RebuildFailedError
from mirror.promotion.history import MOVES, replay
from mirror.promotion.journal import Journal
from mirror.promotion.promote import resume
from mirror.promotion.rollback import RollbackRequest, resume_rollback, roll_back

PROTECTED = ("staging", "release")
KILLED_AT = (
    "mirror.promotion.git.Repository.move",
    "mirror.promotion.journal.Journal.write",
    "mirror.promotion.journal.Journal.clear",
    "mirror.promotion.publish.take_over",
    "mirror.promotion.publish.run_command",
    "mirror.promotion.publish.publish_audit",
    "mirror.promotion.rollback.restore_models",
    "mirror.promotion.rollback.point_branch",
)


class Killed(BaseException):
    pass


class History:
    """Random steps on one repository and one workspace; the same seed gives the same history."""

    def __init__(self, world, seed: int, patch: pytest.MonkeyPatch) -> None:
        self.world, self.random, self.patch = world, random.Random(seed), patch
        self.number = 0
        # What each protected branch held when the log began, and every version it got since.
        self.promoted = {branch: {job: {0} for job in JOBS} for branch in PROTECTED}
        self.told = 0
        world.git("switch", "--quiet", "main")
        for file in ("code.txt", "contracts/readings.yaml"):
            world.git("rm", "--quiet", file)
        write(world.path)
        world.git("add", "--all")
        world.git("commit", "--quiet", "--message", "A fleet")
        for branch in PROTECTED:
            world.git("branch", "--force", branch, "main")
        world.git("branch", "--delete", "--force", "feature/x")
        self.data = world.path.parent / "workspace"
        Workspace.create(self.data, repository=world.path, clock=world.clock).close()
        self.raw()

    def step(self) -> str:
        """One thing that people do, or that happens to them; what it was."""
        weighted: tuple[tuple[Callable[[], None], int], ...] = (
            (self.feature, 5),
            (self.release, 4),
            (self.undo, 3),
            (self.killed, 4),
            (self.raw, 3),
            (self.unpromoted, 3),
            (self.bad, 1),
            (self.torn_build, 2),
        )
        chosen = self.random.choices([what for what, _ in weighted], [weight for _, weight in weighted])[0]
        try:
            chosen()
        except MirrorError as error:
            return f"{chosen.__name__}: {type(error).__name__}"
        return chosen.__name__

    def feature(self, spoiled: int = 0) -> None:
        name = self._branch(spoiled)
        if self.random.random() < 0.4:
            # Tried out before it is promoted: a result that the promotion may take over.
            self._build(name, self.random.choice(("master", name)))
        self.world.promote(name, "staging", "Grace")

    def bad(self) -> None:
        self.feature(SPOILED)

    def release(self) -> None:
        self.world.promote("staging", "release", "Grace")

    def undo(self) -> None:
        done = [e for e in read_audit(self.world.repository) if e["kind"] == "promoted"]
        if not done:
            return
        entry = self.random.choice(done)
        request = RollbackRequest(str(entry["number"]), entry["target"]["branch"], self.data, ("Grace",), "it was bad")
        roll_back(self.world.repository, request, clock=self.world.clock, heard=self.world.heard)

    def raw(self) -> None:
        self.number += 1
        more_raw(self.data, self.world.path.parent, self.number, self.world.clock)

    def unpromoted(self) -> None:
        """Somebody builds a branch that may never be promoted."""
        name = self._branch()
        self._build(name, self.random.choice(("master", name)))

    def killed(self) -> None:
        """The process dies somewhere; sometimes nobody resumes and the next one finds what is left."""
        where = self.random.choice(KILLED_AT)
        what = self.random.choice((self.feature, self.release, self.undo))

        def die(*_arguments: object, **_more: object) -> None:
            raise Killed(where)

        with self.patch.context() as broken:
            broken.setattr(where, die)
            with contextlib.suppress(Killed):
                what()
        if self.random.random() < 0.6:
            self.finish()

    def torn_build(self) -> None:
        """A rebuild is killed after some of its commits."""
        with self.patch.context() as broken, contextlib.suppress(RebuildFailedError):
            broken.setenv(DIES_AFTER, str(self.random.randint(0, 2)))
            self.release() if self.random.random() < 0.5 else self.world.promote(self._branch(), "staging", "Grace")
        if self.random.random() < 0.6:
            self.finish()

    def finish(self) -> None:
        left = self.unfinished()
        if left is None:
            return
        if left.kind == "rollback":
            request = RollbackRequest(left.name, left.target, self.data, ("Grace",))
            resume_rollback(self.world.repository, request, clock=self.world.clock, heard=self.world.heard)
        else:
            asked = self.world.request(left.source, left.target)
            resume(self.world.repository, asked, clock=self.world.clock, heard=self.world.heard)

    def unfinished(self):
        return Journal(self.world.repository.common_directory).read()

    def _branch(self, spoiled: int = 0) -> str:
        self.number += 1
        name = f"feature/{self.number}"
        self.world.git("switch", "--quiet", "--create", name, "staging")
        jobs = ["clean"] if spoiled else self.random.sample(JOBS, self.random.randint(1, 2))
        for job in jobs:
            set_version(self.world.path, job, spoiled + self.number)
        self.world.git("commit", "--quiet", "--all", "--message", f"Change {self.number}: {', '.join(jobs)}")
        return name

    def _build(self, branch: str, onto: str) -> None:
        repository = self.world.repository
        with repository.scratch_tree(self.world.head(branch), "try") as tree:
            values = {"workspace": str(self.data), "target": onto}
            ended = run_warm(
                BUILD, tree=tree, values=values, python_path=(SOURCE,), limit_seconds=60, clock=self.world.clock
            )
        assert ended.code in (0, 1), ended.output

    def check(self) -> None:
        entries = read_audit(self.world.repository)
        told = replay(entries)
        for branch, commit in told.branches.items():
            assert self.world.head(branch) == commit
            assert self.world.repository.tree(commit) == told.trees[branch]
        tags = {name: self.world.git("rev-parse", f"{name}^{{commit}}") for name in self.world.repository.tags()}
        assert tags == told.tags
        assert len(self.world.git("worktree", "list").splitlines()) == 1
        for entry in entries[self.told :]:
            if entry["kind"] in MOVES:
                for job, version in versions(self.world.repository, entry["tree"]).items():
                    self.promoted[entry["target"]["branch"]][job].add(version)
        self.told = len(entries)
        with Workspace.open(self.data, clock=self.world.clock) as workspace:
            for branch in PROTECTED:
                self.check_data(workspace, branch, entries)

    def check_data(self, workspace: Workspace, branch: str, entries) -> None:
        shown = {job: rows(workspace, f"/fleet/{job}", branch) for job in JOBS}
        for job, found in shown.items():
            self.check_makers(branch, job, found)
        left = self.unfinished()
        if left is not None and left.target == branch:
            return
        heads = {path: head for path, head in heads_of(workspace, branch).items() if head is not None}
        data = {path: head for (where, path), head in replay(entries).data.items() if where == branch and head}
        assert heads == data
        last = [e for e in entries if e.get("target", {}).get("branch") == branch and e["kind"] != "refused"]
        if not last or last[-1]["kind"] != "rebuilt":
            return
        # What was rebuilt is what a build of this tree from nothing would give of the raw data it read.
        made = versions(self.world.repository, branch)
        values = sorted(row["value"] for row in shown["seen"] or ())
        assert values == sorted(set(values))
        factor = made["clean"] + 1
        assert sorted(shown["clean"], key=lambda row: row["value"]) == [
            {"value": value * factor, "clean": made["clean"]} for value in values
        ]
        assert shown["counts"] == [{"clean": made["clean"], "n": len(values), "counts": made["counts"]}]

    def check_makers(self, branch: str, job: str, found: list[dict[str, int]] | None) -> None:
        for row in found or ():
            for made_by in row.keys() & set(JOBS):
                assert row[made_by] in self.promoted[branch][made_by], f"{branch} shows {job} {row}"

    def check_everything_ever_written(self) -> None:
        with Workspace.open(self.data, clock=self.world.clock) as workspace:
            query = sa.select(t.datasets.c.path, t.transactions.c.branch, t.transactions.c.rid)
            query = query.join(t.transactions, t.transactions.c.dataset_rid == t.datasets.c.rid)
            query = query.where(t.transactions.c.branch.in_(PROTECTED), t.transactions.c.status == "COMMITTED")
            with workspace.catalog.reading() as connection:
                found = connection.execute(query).all()
            for path, branch, rid in found:
                self.check_makers(branch, path, rows(workspace, path, branch, rid))


# The first of all: somebody builds on master what nobody promotes, then a feature is promoted.
@pytest.mark.nightly
@pytest.mark.parametrize(("seed", "steps"), [(3082, 2), *((seed, 30) for seed in range(10, 22))])
def test_a_history(world, monkeypatch, unsynced, seed, steps):
    for reader in ("publish", "declared"):
        monkeypatch.setattr(f"mirror.promotion.{reader}.run_command", run_warm)
    with unsynced():
        history = History(world, seed, monkeypatch)
        done = []
        for _ in range(steps):
            done.append(history.step())
            try:
                history.check()
            except AssertionError as wrong:
                raise AssertionError(f"after {', '.join(done)}: {wrong}") from wrong
        with contextlib.suppress(RebuildFailedError):
            history.finish()
        history.check()
        history.check_everything_ever_written()
    assert read_audit(world.repository), done
