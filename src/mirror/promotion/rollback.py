"""Takes one promotion back: the logic by a new commit, the data and models by the pins that the audit log holds.

Nothing is deleted and no reference moves backwards: the branch gets a commit whose tree is without the promotion, tags
stay where they are, and the rolled-back transactions stay in the history of their datasets. What the release had
computed before is shown again, so the rebuild that follows computes only what newer input data ask for.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mirror.clock import Clock
from mirror.datasets.pointing import point_branch
from mirror.errors import MirrorError
from mirror.promotion import errors
from mirror.promotion.audit import AUDIT_REF, Entry, audit_commit, read_audit
from mirror.promotion.data_moves import heads_of, workspace_at
from mirror.promotion.git import Identity, Repository
from mirror.promotion.journal import Journal, JournalEntry
from mirror.promotion.model_moves import ModelMove, restore_models
from mirror.promotion.policy import POLICY_FILE, Policy
from mirror.promotion.promote import Heard
from mirror.promotion.publish import PURPOSE, policy_of, publish, rebuild


@dataclass(frozen=True)
class RollbackRequest:
    """``name``: the promotion's tag, the number of its audit entry, or the beginning of its merge commit."""

    name: str
    target: str
    workspace: Path
    approvals: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class PromotionRollback:
    """What is taken back.

    Attributes:
        entry: of the promotion in the audit log.
        commit: the target's head before.
        tree: what the target holds afterwards.
        data: dataset -> (transaction now, transaction it goes back to).
        models: releases that go back to what was in force before.
        left: datasets that had no data before the promotion and keep what they have.
        heads: what every dataset shows on the target now.
    """

    entry: Entry
    target: str
    commit: str
    tree: str
    data: Mapping[str, tuple[str | None, str]]
    models: tuple[ModelMove, ...]
    left: tuple[str, ...]
    heads: Mapping[str, str | None]

    @property
    def source(self) -> str:
        source: Any = self.entry["source"]
        return str(source["branch"])

    def to_json(self) -> dict[str, object]:
        return {
            "promotion": self.entry["number"],
            "target": {"branch": self.target, "commit": self.commit},
            "tree": self.tree,
            "data": {path: list(pair) for path, pair in self.data.items()},
            "models": [vars(move) for move in self.models],
            "left": list(self.left),
        }


def plan_rollback(repository: Repository, request: RollbackRequest, *, clock: Clock) -> PromotionRollback:
    """What :func:`roll_back` would do. Nothing is changed.

    Raises:
        NothingToRollBackError: the log knows no such promotion on the branch.
        UnknownBranchError, TargetCheckedOutError, MergeConflictError.
    """
    branches = repository.branches()
    if request.target not in branches:
        raise errors.UnknownBranchError(request.target, branches)
    for path, branch in repository.work_trees().items():
        if branch == request.target:
            raise errors.TargetCheckedOutError(request.target, str(path))
    entries = read_audit(repository)
    entry = _entry(entries, request)
    head = branches[request.target]
    target: Any = entry["target"]
    if target["after"] == head:
        tree = repository.tree(str(target["before"]))
    else:
        with repository.scratch_tree(head, "plan") as scratch:
            tree = repository.revert_into(scratch, str(target["after"]), request.name, request.target)
    pins, models = _pins(entries, entry, request.target)
    with workspace_at(request.workspace, clock) as workspace:
        now = heads_of(workspace, request.target) if workspace else {}
    back = {path: (now.get(path), pin) for path, pin in pins.items() if pin is not None and now.get(path) != pin}
    left = tuple(path for path, pin in pins.items() if pin is None)
    return PromotionRollback(entry, request.target, head, tree, back if now else {}, models, left, now)


def roll_back(repository: Repository, request: RollbackRequest, *, clock: Clock, heard: Heard) -> PromotionRollback:
    """Takes a promotion back.

    Raises:
        GateRefusedError: nobody who may approve did.
        RebuildFailedError: the code is back, the data is to be resumed.
        Others as :func:`plan_rollback` and :func:`mirror.promotion.promote.promote`.
    """
    who = repository.identity()
    journal = Journal(repository.common_directory)
    with journal.locked(f"{who.name} <{who.email}>: rolls {request.name} back on {request.target}"):
        repository.remove_scratch_trees(PURPOSE)
        if (unfinished := journal.read()) is not None and unfinished.step == "publish":
            kind, name = unfinished.kind, unfinished.name
            raise errors.UnfinishedPromotionError(kind, name, unfinished.target, unfinished.step)
        head = repository.branches().get(request.target)
        policy = policy_of(repository, head) if head and POLICY_FILE in repository.files(head) else None
        if policy is not None and policy.remote is not None:
            repository.fetch(policy.remote)
        plan = plan_rollback(repository, request, clock=clock)
        if policy is not None:
            _check_approvals(policy, plan, request)
        entry = _objects(repository, plan, request, who, clock)
        journal.write(entry)
        entry = publish(repository, journal, entry, policy.remote if policy else None, next_step="restore")
        heard.step(f"{request.target} is without {request.name} as {entry.merge[:12]}")
        _finish(repository, journal, entry, request, who, clock, heard)
        return plan


def resume_rollback(repository: Repository, request: RollbackRequest, *, clock: Clock, heard: Heard) -> str:
    """Finishes an interrupted rollback; the commit it made.

    Raises:
        NothingToResumeError: no rollback of this name was interrupted.
        Others as :func:`roll_back`.
    """
    who = repository.identity()
    journal = Journal(repository.common_directory)
    with journal.locked(f"{who.name} <{who.email}>: rolls {request.name} back on {request.target}, resumed"):
        repository.remove_scratch_trees(PURPOSE)
        entry = journal.read()
        if entry is None or (entry.kind, entry.tag, entry.target) != ("rollback", request.name, request.target):
            other = f"the {entry.kind} of {entry.name} on {entry.target!r}" if entry else "nothing"
            raise errors.NothingToResumeError(request.name, request.target, other)
        if entry.step == "publish":
            remote = policy_of(repository, entry.merge).remote
            if remote is not None:
                repository.fetch(remote)
            entry = publish(repository, journal, entry, remote, next_step="restore")
        _finish(repository, journal, entry, request, who, clock, heard)
        return entry.merge


def _entry(entries: Sequence[Entry], request: RollbackRequest) -> Entry:
    known: dict[str, Entry] = {}
    for entry in entries:
        target: Any = entry.get("target")
        if entry.get("kind") == "promoted" and target["branch"] == request.target:
            if request.name in (entry.get("tag"), str(entry["number"])):
                return entry
            if len(request.name) >= 7 and str(target["after"]).startswith(request.name):
                return entry
            known[str(entry.get("tag") or entry["number"])] = entry
    raise errors.NothingToRollBackError(request.name, request.target, tuple(known))


def _pins(
    entries: Sequence[Entry], promotion: Entry, branch: str
) -> tuple[dict[str, str | None], tuple[ModelMove, ...]]:
    """Dataset -> transaction, and models, as they were on the branch before the promotion moved any."""
    pins: dict[str, str | None] = {}
    models: dict[str, ModelMove] = {}
    for entry in entries:
        target: Any = entry.get("target") or {}
        data: Any = entry.get("data") or {}
        moves: Any = entry.get("models") or []
        if int(str(entry["number"])) > int(str(promotion["number"])) and target.get("branch") == branch:
            for path, (before, _) in data.items():
                pins.setdefault(path, before)
            for model, environment, before, after in moves:
                models.setdefault(model, ModelMove(model, environment, before, after))
    return pins, tuple(models.values())


def _check_approvals(policy: Policy, plan: PromotionRollback, request: RollbackRequest) -> None:
    """One person of a role that the promotion itself needed: taking back must be quicker than bringing."""
    for name in request.approvals:
        if name not in policy.people:
            raise errors.UnknownPersonError(name, tuple(policy.people), policy.file)
    step = policy.step(plan.source, plan.target)
    gates = [gate for gate in step.gates if gate.gate == "approvals"] if step else []
    roles = [role for gate in gates for role in gate.texts("roles")]
    if not roles or any(role in policy.roles_of(name) for name in request.approvals for role in roles):
        return
    people = sorted({name for role in roles for name in policy.roles[role]})
    summary = f"nobody of {', '.join(roles)} approved taking {request.name} back."
    fix = f"Ask for approval: --approve-as {' or '.join(map(repr, people))}."
    raise errors.GateRefusedError(
        f"the rollback of {request.name}", plan.target, (("approvals", "FAIL", summary, fix),)
    )


def _objects(
    repository: Repository, plan: PromotionRollback, request: RollbackRequest, who: Identity, clock: Clock
) -> JournalEntry:
    at = clock().replace(microsecond=0)
    message = f"Roll back {request.name} on {plan.target}\n\n{request.reason}\n"
    commit = repository.commit_tree(plan.tree, [plan.commit], message, who, at)
    facts = {
        "kind": "rolled back",
        "undoes": plan.entry["number"],
        "target": {"branch": plan.target, "before": plan.commit, "after": commit},
        "tree": plan.tree,
        "reason": request.reason,
        "approvals": list(request.approvals),
        "data": {path: list(pair) for path, pair in plan.data.items()},
        "models": [[m.model, m.environment, m.after, m.before] for m in plan.models],
    }
    audit, before = audit_commit(repository, facts, who, at)
    moves: dict[str, tuple[str, str | None]] = {
        f"refs/heads/{plan.target}": (commit, plan.commit),
        AUDIT_REF: (audit, before),
    }
    return JournalEntry(
        "publish",
        plan.source,
        plan.target,
        commit,
        request.name,
        moves,
        kind="rollback",
        approvals=request.approvals,
        models=tuple((m.model, m.environment, m.before, m.after) for m in plan.models),
        reused={path: wanted for path, (_, wanted) in plan.data.items()},
        heads=plan.heads,
    )


def _finish(
    repository: Repository,
    journal: Journal,
    entry: JournalEntry,
    request: RollbackRequest,
    who: Identity,
    clock: Clock,
    heard: Heard,
) -> None:
    """Models and data go back, then the target's own rebuild publishes the JobSpecs that are in force again."""
    with workspace_at(request.workspace, clock) as workspace:
        if workspace is not None:
            moves = tuple(ModelMove(*move) for move in entry.models)
            reason = request.reason or f"rollback of {entry.tag}"
            try:
                restore_models(workspace, moves, f"{who.name} <{who.email}>", entry.approvals, reason)
                if entry.reused:
                    with workspace.lock(entry.target):
                        point_branch(workspace.store, entry.target, entry.reused)
            except MirrorError as error:
                raise errors.RebuildFailedError(entry.kind, entry.name, entry.target, str(error)) from error
            heard.step(f"{len(entry.reused)} datasets and {len(moves)} models of {entry.target} are back")
    if POLICY_FILE in repository.files(entry.merge):
        rebuild(repository, journal, entry, request.workspace, who, clock, heard.step)
    else:
        journal.clear()
