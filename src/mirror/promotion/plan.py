"""What a promotion would do, and every reason why it may not start. Nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from mirror.clock import Clock
from mirror.datasets import Workspace
from mirror.errors import UsageError
from mirror.promotion import errors
from mirror.promotion.compatibility import compare
from mirror.promotion.contract_files import read_contracts
from mirror.promotion.contracts import Comparison
from mirror.promotion.declared import Declared, declared_by
from mirror.promotion.git import Commit, Repository
from mirror.promotion.history import history_notes, undone_since
from mirror.promotion.jobs import JobComparison, compare_jobs
from mirror.promotion.model_moves import ModelMove, model_moves
from mirror.promotion.policy import POLICY_FILE, Policy, Step, load_policy
from mirror.promotion.rebuild_plan import RebuildPlan, rebuild_plan


@dataclass(frozen=True)
class PromotionPlan:
    """``source_commit`` is merged into ``target_commit`` and gives ``tree``; the runner executes exactly this."""

    source: str
    target: str
    source_commit: str
    target_commit: str
    local_target: str | None
    tree: str
    policy: Policy
    step: Step
    commits: tuple[Commit, ...]
    files: tuple[tuple[str, str], ...]
    contracts: Comparison
    tag: str | None
    notes: tuple[str, ...]
    declared: Declared = field(default_factory=Declared)
    jobs: JobComparison = field(default_factory=JobComparison)
    rebuild: RebuildPlan | None = None
    models: tuple[ModelMove, ...] = ()

    def to_json(self) -> dict[str, object]:
        return {
            "source": {"branch": self.source, "commit": self.source_commit},
            "target": {"branch": self.target, "commit": self.target_commit},
            "tree": self.tree,
            "commits": [{"sha": c.sha, "author": c.author, "subject": c.subject} for c in self.commits],
            "files": [{"status": status, "path": path} for status, path in self.files],
            "contracts": {
                "effect": self.contracts.effect.value,
                "files": list(self.contracts.files),
                "changes": [change.to_json() for change in self.contracts.changes],
            },
            "gates": [{"gate": gate.gate, "reason": gate.reason} for gate in self.step.gates],
            "tag": self.tag,
            "jobs": self.jobs.to_json(),
            "models": [vars(move) for move in self.models],
            "rebuild": {
                "command": list(self.step.rebuild.command),
                "plan": self.rebuild.to_json() if self.rebuild else None,
            }
            if self.step.rebuild
            else None,
            "notes": list(self.notes),
        }


@contextmanager
def planned(
    repository: Repository,
    source: str,
    target: str,
    *,
    clock: Clock,
    tag: str | None = None,
    purpose: str = "plan",
    open_workspace: Callable[[], Workspace | None] = lambda: None,
) -> Iterator[tuple[PromotionPlan, Path]]:
    """The plan and a temporary work tree with the merged content, for as long as the context is open.

    Raises:
        UsageError, VerdictError: every reason in :mod:`mirror.promotion.errors` why this promotion may not start.
    """
    if repository.is_detached():
        raise errors.DetachedHeadError(repository.run("rev-parse", "HEAD").strip())
    local = repository.branches()
    policy, notes = _policy(repository, local, source, target)
    step = policy.step(source, target)
    if step is None:
        allowed = tuple((s.source, s.target) for s in policy.steps)
        raise errors.StepNotAllowedError(source, target, allowed, policy.file)
    source_commit, target_commit = _heads(repository, policy, local, source, target)
    if target_commit != local.get(target, target_commit):
        # The remote is ahead of this clone, and its policy is the one in force.
        policy = load_policy(repository.read(target_commit, POLICY_FILE), f"{POLICY_FILE} on {policy.remote}/{target}")
        step = policy.step(source, target) or step
    _work_trees(repository, source, target)
    files = repository.files(source_commit)
    if submodules := tuple(sorted(path for path, (mode, _) in files.items() if mode == "160000")):
        raise errors.SubmodulesError(source, submodules)
    base = repository.merge_base(source_commit, target_commit)
    if base is None:
        raise errors.UnrelatedHistoriesError(source, target)
    undone = undone_since(repository, target, source_commit, target_commit) if step.up_to_date else None
    if undone is None and repository.is_ancestor(source_commit, target_commit):
        raise errors.NothingToPromoteError(source, target)
    name = _tag(repository, step, tag, target)
    with repository.scratch_tree(target_commit, purpose) as scratch:
        reader = _Reader(repository, policy, clock, open_workspace)
        before = reader.declared(scratch, target_commit)
        if undone is None:
            tree = repository.merge_into(scratch, source, target, source_commit)
        else:
            # What was rolled back counts as merged for git, so a merge would leave it out; it is brought again.
            tree = repository.tree(source_commit)
            repository.run("checkout", "--quiet", "--detach", source_commit, cwd=scratch)
            if tree == repository.tree(target_commit):
                raise errors.NothingToPromoteError(source, target)
        if step.up_to_date and tree != repository.tree(source_commit):
            missing = tuple(c.subject for c in repository.commits(source_commit, target_commit) if not c.is_merge)
            fix = f"On {source}: `git merge {target}`, run the tests, then promote again."
            raise errors.StaleBaseError(source, target, missing or ("a merge that changed files",), fix)
        after = reader.declared(scratch, tree)
        changed = repository.changed_files(repository.tree(target_commit), tree)
        jobs, contracts = _compared(before, after, changed, policy)
        old_files = read_contracts(repository, repository.files(target_commit), policy.contracts)
        new_files = read_contracts(repository, repository.files(tree), policy.contracts)
        if not contracts.untouched:
            contracts = compare([*before.contracts, *old_files], [*after.contracts, *new_files])
        elif old_files or new_files:
            contracts = replace(compare(old_files, new_files), untouched=contracts.untouched)
        rebuild, models = reader.impact(after, jobs, source, target, step)
        yield (
            PromotionPlan(
                source=source,
                target=target,
                source_commit=source_commit,
                target_commit=target_commit,
                local_target=local.get(target),
                tree=tree,
                policy=policy,
                step=step,
                commits=repository.commits(undone.base if undone else target_commit, source_commit),
                files=changed,
                contracts=contracts,
                tag=name,
                notes=(
                    *notes,
                    *(undone.notes if undone else ()),
                    *reader.notes,
                    *history_notes(repository, policy, target, target_commit),
                ),
                declared=after,
                jobs=jobs,
                rebuild=rebuild,
                models=models,
            ),
            scratch,
        )


def _compared(
    before: Declared, after: Declared, changed: tuple[tuple[str, str], ...], policy: Policy
) -> tuple[JobComparison, Comparison]:
    """Jobs by what they are made of; contracts as untouched when both trees declare the same."""
    if policy.transforms is None:
        return JobComparison(), Comparison((), ())
    root = f"{after.source_root}/"
    files = {path.removeprefix(root) for _, path in changed if path.startswith(root)}
    try:
        jobs = compare_jobs(before.specs, after.specs, (before.covers, after.covers), files)
    except UsageError as error:
        jobs = JobComparison(len(after.specs), problem=str(error))
    same = bool(after.contracts) and before == after
    return jobs, Comparison((), (), untouched="both trees declare the same pipeline" if same else "")


class _Reader:
    """Reads trees with what the workspace knows of them, where there is a workspace."""

    def __init__(
        self, repository: Repository, policy: Policy, clock: Clock, open_workspace: Callable[[], Workspace | None]
    ) -> None:
        self._repository, self._policy, self._clock, self._open = repository, policy, clock, open_workspace
        self.notes: tuple[str, ...] = ()

    def declared(self, scratch: Path, commit: str) -> Declared:
        with self._workspace() as workspace:
            rids = dict(workspace.store.rids) if workspace else {}
        return declared_by(self._repository, commit, scratch, self._policy, self._clock, rids)

    def impact(
        self, after: Declared, jobs: JobComparison, source: str, target: str, step: Step
    ) -> tuple[RebuildPlan | None, tuple[ModelMove, ...]]:
        """What the target's data and models lack; nothing is known without a workspace."""
        if step.rebuild is None or self._policy.transforms is None or after.problem or jobs.problem:
            return None, ()
        with self._workspace() as workspace:
            if workspace is None:
                self.notes += ("there is no workspace: what will be rebuilt, reused and released is not known",)
                return None, ()
            moves = model_moves(workspace, source, target) if step.release_models else ()
            return rebuild_plan(workspace, after.specs, target, source, step.fallbacks), moves

    @contextmanager
    def _workspace(self) -> Iterator[Workspace | None]:
        opened = self._open()
        if opened is None:
            yield None
            return
        with opened:
            yield opened


def _policy(repository: Repository, local: dict[str, str], source: str, target: str) -> tuple[Policy, tuple[str, ...]]:
    """The target's policy; the source's, and said so, while the target has none yet."""
    known = dict(local)
    for name, sha in repository.references("refs/remotes").items():
        _, _, branch = name.removeprefix("refs/remotes/").partition("/")
        if branch != "HEAD":
            known.setdefault(branch, sha)
    for name in (source, target):
        if name not in known:
            fix = f"A target is made once: `git branch {name} <commit>`." if name == target else ""
            raise errors.UnknownBranchError(name, known, fix)
    for name in (target, source):
        if POLICY_FILE in repository.files(known[name]):
            text = repository.read(known[name], POLICY_FILE)
            notes = () if name == target else (f"{target} has no {POLICY_FILE} yet: judged by the policy of {source}",)
            return load_policy(text, f"{POLICY_FILE} on {name}"), notes
    raise errors.PolicyError(
        POLICY_FILE, 1, f"neither {target!r} nor {source!r} holds this file; add it and commit it."
    )


def _heads(repository: Repository, policy: Policy, local: dict[str, str], source: str, target: str) -> tuple[str, str]:
    """The commits the two names stand for, the remote's word counting more than ours for the target."""
    if policy.remote is None:
        for name in (source, target):
            if name not in local:
                raise errors.UnknownBranchError(name, local, "")
        return local[source], local[target]
    remote = {
        name.removeprefix(f"refs/remotes/{policy.remote}/"): sha
        for name, sha in repository.references(f"refs/remotes/{policy.remote}").items()
    }
    heads = []
    for name in (source, target):
        here, there = local.get(name), remote.get(name)
        if here is not None and there is not None and here != there and not repository.is_ancestor(there, here):
            if name == source or not repository.is_ancestor(here, there):
                missing = tuple(c.subject for c in repository.commits(here, there))
                fix = f"On {name}: `git pull`, then promote again."
                raise errors.StaleBaseError(f"local {name}", f"{policy.remote}/{name}", missing, fix)
        elif name == target and here is not None and there is not None and here != there:
            missing = tuple(c.subject for c in repository.commits(there, here))
            fix = f"{name} is protected: `git branch -f {name} {policy.remote}/{name}` drops what was committed here."
            raise errors.StaleBaseError(f"{policy.remote}/{name}", f"local {name}", missing, fix)
        chosen = (here or there) if name == source else (there or here)
        if chosen is None:
            raise errors.UnknownBranchError(name, local, "")
        heads.append(chosen)
    return heads[0], heads[1]


def _work_trees(repository: Repository, source: str, target: str) -> None:
    for path, branch in repository.work_trees().items():
        if branch == target:
            raise errors.TargetCheckedOutError(target, str(path))
        if branch == source and (changed := repository.uncommitted(path)):
            raise errors.DirtyTreeError(source, str(path), changed)


def _tag(repository: Repository, step: Step, wanted: str | None, target: str) -> str | None:
    tags = repository.tags()
    free = step.next_tag(tags)
    if wanted is None:
        return free
    if step.tag is None:
        raise errors.TagNameError(wanted, f"no tag for {target}")
    if re.fullmatch(step.tag_pattern, wanted) is None:
        raise errors.TagNameError(wanted, step.tag)
    if wanted in tags:
        raise errors.TagExistsError(wanted, repository.run("rev-parse", f"refs/tags/{wanted}^{{commit}}").strip(), free)
    return wanted
