"""One promotion from plan to audit: gates, merge, tag, publish, rebuild.

The references (target branch, tag, audit log) move together in one git transaction, after the remote, if the policy
names one, took all of them in one atomic push. Before that moment nothing anybody can see has changed; after it
only the rebuild is left.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mirror.clock import Clock
from mirror.promotion import errors
from mirror.promotion.audit import AUDIT_REF, audit_commit
from mirror.promotion.gates import GateCase, run_gates
from mirror.promotion.git import Identity, Repository
from mirror.promotion.journal import Journal, JournalEntry
from mirror.promotion.plan import PromotionPlan, planned
from mirror.promotion.policy import POLICY_FILE
from mirror.promotion.publish import PURPOSE, policy_of, publish, publish_audit, rebuild
from mirror.promotion.verdict import GateResult


@dataclass(frozen=True)
class PromotionRequest:
    """``approvals`` are names under the policy's people; ``accepted`` maps a breaking change's subject to a reason."""

    source: str
    target: str
    workspace: Path
    approvals: tuple[str, ...] = ()
    accepted: Mapping[str, str] = field(default_factory=dict)
    tag: str | None = None


@dataclass(frozen=True)
class PromotionOutcome:
    """``plan`` is ``None`` after a resume; ``merge`` is ``None`` when nothing was merged."""

    plan: PromotionPlan | None
    gates: tuple[GateResult, ...] = ()
    merge: str | None = None
    tag: str | None = None
    rebuilt: bool = False


@dataclass(frozen=True)
class Heard:
    """Where progress goes."""

    step: Callable[[str], None] = lambda _text: None
    gate: Callable[[GateResult], None] = lambda _result: None


def show_plan(repository: Repository, request: PromotionRequest, *, clock: Clock) -> PromotionPlan:
    """The plan alone: no lock, no gate, no audit entry. A remote is not asked; its last known state counts."""
    with planned(repository, request.source, request.target, clock=clock, tag=request.tag) as (plan, _tree):
        _check_names(plan, request)
        return plan


def promote(
    repository: Repository, request: PromotionRequest, *, clock: Clock, heard: Heard, gates_only: bool = False
) -> PromotionOutcome:
    """Promotes, or raises the reason why not.

    Raises:
        GateRefusedError: a gate said no or could not be computed; the refusal is in the audit log.
        RebuildFailedError: the merge stands, the rebuild is to be resumed.
        UsageError, VerdictError: see :mod:`mirror.promotion.errors`.
    """
    who = repository.identity()
    journal = Journal(repository.common_directory)
    with journal.locked(f"{who.name} <{who.email}>: {request.source} -> {request.target}"):
        repository.remove_scratch_trees(PURPOSE)
        if (left := journal.read()) is not None and left.step == "publish":
            raise errors.UnfinishedPromotionError(left.source, left.target, left.step)
        _fetch(repository, request.source, request.target)
        with planned(repository, request.source, request.target, clock=clock, tag=request.tag, purpose=PURPOSE) as (
            plan,
            tree,
        ):
            _check_names(plan, request)
            results = _judge(plan, tree, request, clock, heard)
            refusals = tuple((r.gate, r.outcome.value, r.summary, r.fix) for r in results if r.blocks)
            if gates_only and not refusals:
                return PromotionOutcome(plan, results)
        if refusals:
            if not gates_only:
                facts = _facts("refused", plan, request, results)
                publish_audit(repository, plan.policy.remote, facts, who, clock)
            raise errors.GateRefusedError(request.source, request.target, refusals)
        entry = _objects(repository, plan, request, results, who, clock)
        journal.write(entry)
        heard.step(f"merged as {entry.merge[:12]}" + (f", tagged {entry.tag}" if entry.tag else ""))
        publish(repository, journal, entry, plan.policy.remote)
        rebuilt = rebuild(repository, journal, entry, request.workspace, who, clock, heard.step)
        return PromotionOutcome(plan, results, entry.merge, entry.tag, rebuilt)


def resume(repository: Repository, request: PromotionRequest, *, clock: Clock, heard: Heard) -> PromotionOutcome:
    """Finishes an interrupted promotion from the step the journal names; finished steps are not repeated.

    Without a journal nothing was done that anybody could see, so the promotion starts again.

    Raises:
        NothingToResumeError: another promotion is the unfinished one.
        Others as :func:`promote`.
    """
    who = repository.identity()
    journal = Journal(repository.common_directory)
    with journal.locked(f"{who.name} <{who.email}>: {request.source} -> {request.target}, resumed"):
        entry = journal.read()
        if entry is not None and (entry.source, entry.target) != (request.source, request.target):
            other = f"{entry.source!r} to {entry.target!r}"
            raise errors.NothingToResumeError(request.source, request.target, other)
        if entry is not None:
            repository.remove_scratch_trees(PURPOSE)
            if entry.step == "publish":
                remote = policy_of(repository, entry.merge).remote
                if remote is not None:
                    repository.fetch(remote)
                publish(repository, journal, entry, remote)
                heard.step(f"published {entry.merge[:12]}")
            rebuilt = rebuild(repository, journal, entry, request.workspace, who, clock, heard.step)
            return PromotionOutcome(None, (), entry.merge, entry.tag, rebuilt)
    heard.step("no step was finished before; starting again")
    return promote(repository, request, clock=clock, heard=heard)


def _fetch(repository: Repository, source: str, target: str) -> None:
    local = repository.branches()
    for name in (target, source):
        if name in local and POLICY_FILE in repository.files(local[name]):
            remote = policy_of(repository, local[name]).remote
            if remote is not None:
                repository.fetch(remote)
            return


def _check_names(plan: PromotionPlan, request: PromotionRequest) -> None:
    for name in request.approvals:
        if name not in plan.policy.people:
            raise errors.UnknownPersonError(name, tuple(plan.policy.people), plan.policy.file)
    stops = tuple(change.subject for change in plan.contracts.changes if change.stops)
    for subject in request.accepted:
        if subject not in stops:
            raise errors.UnknownAcceptanceError(subject, stops)


def _judge(
    plan: PromotionPlan, tree: Path, request: PromotionRequest, clock: Clock, heard: Heard
) -> tuple[GateResult, ...]:
    with tempfile.TemporaryDirectory(prefix="mirror-gates-") as scratch:
        case = GateCase(
            plan=plan,
            tree=tree,
            scratch=Path(scratch),
            python_path=plan.policy.python_path,
            approvals=request.approvals,
            accepted=request.accepted,
            clock=clock,
        )
        return run_gates(case, plan.step.gates, heard.gate)


def _facts(
    kind: str, plan: PromotionPlan, request: PromotionRequest, results: tuple[GateResult, ...], merge: str | None = None
) -> dict[str, object]:
    return {
        "kind": kind,
        "source": {"branch": plan.source, "commit": plan.source_commit},
        "target": {"branch": plan.target, "before": plan.target_commit, "after": merge or plan.target_commit},
        "tree": plan.tree,
        "tag": plan.tag if merge else None,
        "commits": [commit.sha for commit in plan.commits],
        "contracts": [change.to_json() for change in plan.contracts.changes],
        "gates": [
            {
                "gate": r.gate,
                "outcome": r.outcome.value,
                "summary": r.summary,
                "evidence": r.fingerprint,
                "seconds": round(r.seconds, 3),
            }
            for r in results
        ],
        "approvals": list(request.approvals),
        "accepted": dict(request.accepted),
        "notes": list(plan.notes),
    }


def _objects(
    repository: Repository,
    plan: PromotionPlan,
    request: PromotionRequest,
    results: tuple[GateResult, ...],
    who: Identity,
    clock: Clock,
) -> JournalEntry:
    """Merge commit, tag and audit entry as objects nobody can see yet."""
    at = clock().replace(microsecond=0)
    approved = [f"Approved-by: {name} <{plan.policy.people[name]}>" for name in request.approvals]
    message = "\n".join(
        [f"Promote {plan.source} to {plan.target}", "", *(c.subject for c in plan.commits), "", *approved]
    )
    merge = repository.commit_tree(plan.tree, [plan.target_commit, plan.source_commit], message + "\n", who, at)
    audit, audit_before = audit_commit(repository, _facts("promoted", plan, request, results, merge), who, at)
    moves: dict[str, tuple[str, str | None]] = {
        f"refs/heads/{plan.target}": (merge, plan.local_target),
        AUDIT_REF: (audit, audit_before),
    }
    if plan.tag is not None:
        note = f"{plan.source} promoted to {plan.target}"
        moves[f"refs/tags/{plan.tag}"] = (repository.tag_object(plan.tag, merge, note, who, at), None)
    return JournalEntry("publish", plan.source, plan.target, merge, plan.tag, moves)
