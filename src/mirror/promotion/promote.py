"""One promotion from plan to audit: gates, merge, tag, publish, rebuild.

The references (target branch, tag, audit log) move together in one git transaction, after the remote, if the policy
names one, took all of them in one atomic push. Before that moment nothing anybody can see has changed; after it
only the rebuild is left.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from mirror.clock import Clock
from mirror.datasets import Workspace
from mirror.datasets.errors import WorkspaceNotFoundError
from mirror.promotion import errors
from mirror.promotion.admission import check_request
from mirror.promotion.audit import AUDIT_REF, audit_commit, read_audit
from mirror.promotion.gates import GateCase, run_gates
from mirror.promotion.git import Identity, Repository
from mirror.promotion.history import recorded_approvals
from mirror.promotion.journal import Journal, JournalEntry
from mirror.promotion.plan import PromotionPlan, planned
from mirror.promotion.policy import POLICY_FILE
from mirror.promotion.publish import PURPOSE, policy_of, publish, publish_audit, rebuild
from mirror.promotion.verdict import GateResult, Override


@dataclass(frozen=True)
class PromotionRequest:
    """What somebody asks for.

    Attributes:
        approvals: names under the policy's people.
        accepted: subject of a breaking change -> why consumers are ready.
        overrides: gate -> who lets its no pass, and why.
        emergency: why the usual order cannot be kept; only for the steps that the policy calls emergencies.
    """

    source: str
    target: str
    workspace: Path
    approvals: tuple[str, ...] = ()
    accepted: Mapping[str, str] = field(default_factory=dict)
    tag: str | None = None
    overrides: Mapping[str, Override] = field(default_factory=dict)
    emergency: str | None = None


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
    with _planned(repository, request, clock, "plan") as (plan, _tree):
        check_request(plan, request, repository, clock())
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
        if (left := journal.read()) is not None and (left.step == "publish" or left.kind == "rollback"):
            raise errors.UnfinishedPromotionError(left.kind, left.name, left.target, left.step)
        _fetch(repository, request.source, request.target)
        with _planned(repository, request, clock, PURPOSE) as (plan, tree):
            request = _with_recorded(repository, plan, request)
            check_request(plan, request, repository, clock())
            results = _judge(repository, plan, tree, request, clock, heard)
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
        entry = publish(repository, journal, entry, plan.policy.remote)
        rebuilt = rebuild(repository, journal, entry, request.workspace, who, clock, heard.step)
        return PromotionOutcome(plan, results, entry.merge, entry.tag, rebuilt)


def approve(repository: Repository, request: PromotionRequest, *, clock: Clock) -> PromotionPlan:
    """Writes down that the request's people approve the source as it is now; new commits undo it.

    Raises as :func:`show_plan`.
    """
    who = repository.identity()
    with Journal(repository.common_directory).locked(f"{who.name} <{who.email}>: approves {request.source}"):
        _fetch(repository, request.source, request.target)
        with _planned(repository, request, clock, "plan") as (plan, _tree):
            check_request(plan, request, repository, clock())
        facts = {
            "kind": "approved",
            "source": {"branch": plan.source, "commit": plan.source_commit},
            "target": {"branch": plan.target, "commit": plan.target_commit},
            "approvals": list(request.approvals),
        }
        publish_audit(repository, plan.policy.remote, facts, who, clock)
        return plan


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
        wanted = ("promotion", request.source, request.target)
        if entry is not None and (entry.kind, entry.source, entry.target) != wanted:
            other = f"the {entry.kind} of {entry.name!r} to {entry.target!r}"
            raise errors.NothingToResumeError(request.source, request.target, other)
        if entry is not None:
            repository.remove_scratch_trees(PURPOSE)
            if entry.step == "publish":
                remote = policy_of(repository, entry.merge).remote
                if remote is not None:
                    repository.fetch(remote)
                entry = publish(repository, journal, entry, remote)
                heard.step(f"published {entry.merge[:12]}")
            rebuilt = rebuild(repository, journal, entry, request.workspace, who, clock, heard.step)
            return PromotionOutcome(None, (), entry.merge, entry.tag, rebuilt)
    heard.step("no step was finished before; starting again")
    return promote(repository, request, clock=clock, heard=heard)


def _planned(
    repository: Repository, request: PromotionRequest, clock: Clock, purpose: str
) -> AbstractContextManager[tuple[PromotionPlan, Path]]:
    def open_workspace() -> Workspace | None:
        try:
            return Workspace.open(request.workspace, clock=clock)
        except WorkspaceNotFoundError:
            return None

    return planned(
        repository,
        request.source,
        request.target,
        clock=clock,
        tag=request.tag,
        purpose=purpose,
        open_workspace=open_workspace,
    )


def _with_recorded(repository: Repository, plan: PromotionPlan, request: PromotionRequest) -> PromotionRequest:
    """The request with the approvals on record for exactly this commit."""
    recorded, _ = recorded_approvals(read_audit(repository), plan.source, plan.target, plan.source_commit)
    return replace(request, approvals=tuple(dict.fromkeys((*request.approvals, *recorded))))


def _fetch(repository: Repository, source: str, target: str) -> None:
    local = repository.branches()
    for name in (target, source):
        if name in local and POLICY_FILE in repository.files(local[name]):
            remote = policy_of(repository, local[name], name).remote
            if remote is not None:
                repository.fetch(remote)
            return


def _judge(
    repository: Repository, plan: PromotionPlan, tree: Path, request: PromotionRequest, clock: Clock, heard: Heard
) -> tuple[GateResult, ...]:
    _, expired = recorded_approvals(read_audit(repository), plan.source, plan.target, plan.source_commit)
    with tempfile.TemporaryDirectory(prefix="mirror-gates-") as scratch:
        case = GateCase(
            plan=plan,
            tree=tree,
            scratch=Path(scratch),
            python_path=plan.policy.python_path,
            approvals=request.approvals,
            accepted=request.accepted,
            clock=clock,
            workspace=request.workspace,
            expired=expired,
            overrides=request.overrides,
        )
        return run_gates(case, plan.step.gates, heard.gate)


def _facts(
    kind: str,
    plan: PromotionPlan,
    request: PromotionRequest,
    results: tuple[GateResult, ...],
    merge: str | None = None,
    review_due: str | None = None,
) -> dict[str, object]:
    return {
        "kind": kind,
        "source": {"branch": plan.source, "commit": plan.source_commit},
        "target": {"branch": plan.target, "before": plan.target_commit, "after": merge or plan.target_commit},
        "tree": plan.tree,
        "tag": plan.tag if merge else None,
        "commits": [commit.sha for commit in plan.commits],
        "jobs": [change.reference for change in plan.jobs.changes],
        "contracts": [change.to_json() for change in plan.contracts.changes],
        "gates": [
            {
                "gate": r.gate,
                "outcome": r.outcome.value,
                "summary": r.summary,
                "evidence": r.fingerprint,
                "seconds": round(r.seconds, 3),
                "override": None if r.override is None else vars(r.override),
            }
            for r in results
        ],
        "approvals": list(request.approvals),
        "accepted": dict(request.accepted),
        "emergency": {"reason": request.emergency, "review_due": review_due} if request.emergency else None,
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
    trailers = [f"Approved-by: {name} <{plan.policy.people[name]}>" for name in request.approvals]
    trailers += [f"Gate-overridden: {r.gate} by {r.override.by}: {r.override.reason}" for r in results if r.override]
    trailers += [f"Emergency: {request.emergency}"] if request.emergency else []
    message = "\n".join(
        [f"Promote {plan.source} to {plan.target}", "", *(c.subject for c in plan.commits), "", *trailers]
    )
    merge = repository.commit_tree(plan.tree, [plan.target_commit, plan.source_commit], message + "\n", who, at)
    days = plan.step.emergency.review_within_days if plan.step.emergency else 0.0
    due = (at + timedelta(days=days)).isoformat()
    facts = _facts("promoted", plan, request, results, merge, due)
    audit, audit_before = audit_commit(repository, facts, who, at)
    moves: dict[str, tuple[str, str | None]] = {
        f"refs/heads/{plan.target}": (merge, plan.local_target),
        AUDIT_REF: (audit, audit_before),
    }
    if plan.tag is not None:
        note = f"{plan.source} promoted to {plan.target}"
        moves[f"refs/tags/{plan.tag}"] = (repository.tag_object(plan.tag, merge, note, who, at), None)
    return JournalEntry(
        "publish",
        plan.source,
        plan.target,
        merge,
        plan.tag,
        moves,
        approvals=request.approvals,
        models=tuple((m.model, m.environment, m.before, m.after) for m in plan.models),
        reused={path: transaction for path, (_, transaction) in plan.rebuild.reused.items()} if plan.rebuild else {},
    )
