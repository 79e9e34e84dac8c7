"""What a promotion would do, and every reason why it may not start. Nothing is changed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from mirror.clock import Clock
from mirror.promotion import errors
from mirror.promotion.audit import read_audit
from mirror.promotion.contract_files import read_contracts
from mirror.promotion.contracts import Comparison, Contract, Unreadable, compare
from mirror.promotion.declared import declared_contracts
from mirror.promotion.git import Commit, Repository
from mirror.promotion.policy import POLICY_FILE, Policy, Step, load_policy


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
            "rebuild": list(self.step.rebuild.command) if self.step.rebuild else None,
            "notes": list(self.notes),
        }


@contextmanager
def planned(
    repository: Repository, source: str, target: str, *, clock: Clock, tag: str | None = None, purpose: str = "plan"
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
    if repository.is_ancestor(source_commit, target_commit):
        raise errors.NothingToPromoteError(source, target)
    name = _tag(repository, step, tag, target)
    code_changed = not policy.python_path or any(
        path.startswith(f"{root}/")
        for _, path in repository.changed_files(base, source_commit)
        for root in policy.python_path
    )
    untouched = (
        "" if code_changed or policy.transforms is None else f"nothing below {', '.join(policy.python_path)} changed"
    )
    with repository.scratch_tree(target_commit, purpose) as scratch:
        before = _declared(scratch, policy, clock) if code_changed else []
        tree = repository.merge_into(scratch, source, target, source_commit)
        if step.up_to_date and tree != repository.tree(source_commit):
            missing = tuple(c.subject for c in repository.commits(source_commit, target_commit) if not c.is_merge)
            fix = f"On {source}: `git merge {target}`, run the tests, then promote again."
            raise errors.StaleBaseError(source, target, missing or ("a merge that changed files",), fix)
        before += read_contracts(repository, repository.files(target_commit), policy.contracts)
        after = _declared(scratch, policy, clock) if code_changed else []
        after += read_contracts(repository, repository.files(tree), policy.contracts)
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
                commits=repository.commits(target_commit, source_commit),
                files=repository.changed_files(repository.tree(target_commit), tree),
                contracts=replace(compare(before, after), untouched=untouched),
                tag=name,
                notes=(*notes, *_history_notes(repository, policy, target, target_commit)),
            ),
            scratch,
        )


def _declared(tree: Path, policy: Policy, clock: Clock) -> list[Contract | Unreadable]:
    if policy.transforms is None:
        return []
    return declared_contracts(tree, policy.transforms, policy.python_path, clock)


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


def _history_notes(repository: Repository, policy: Policy, target: str, head: str) -> tuple[str, ...]:
    """Says so when a protected branch is not where the last promotion left it."""
    if target not in policy.protected:
        return ()
    left = [
        after["after"]
        for entry in read_audit(repository)
        if entry.get("kind") == "promoted"
        and isinstance(after := entry.get("target"), dict)
        and after["branch"] == target
    ]
    if not left or left[-1] == head:
        return ()
    return (
        f"{target} was left at {left[-1][:12]} by the last promotion and is at {head[:12]}: it was moved another way",
    )
