"""Putting versions in force: what must hold before, and the record of who decided what; refusals are on record too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, NoReturn

from mirror.datasets.ids import stable_uuid
from mirror.models import ledger
from mirror.models.card import missing_fields
from mirror.models.criteria.base import Candidate
from mirror.models.decisions import write_decisions
from mirror.models.errors import ArtefactMissingError, ArtefactTamperedError, ReleaseRefusedError
from mirror.models.records import HALT, PRODUCTION, STAGING, ModelVersion, Outcome, Release, Submission, Verdict

if TYPE_CHECKING:
    from mirror.models.governance import Done, Governance, Governed


@dataclass(frozen=True)
class Request:
    """Who wants what in which environment, and why. ``kind`` is what :class:`Release` calls it, or ``trial``."""

    governed: Governed
    environment: str
    actor: str
    approved_by: tuple[str, ...]
    reason: str
    kind: str

    @property
    def path(self) -> str:
        """The model's path."""
        return self.governed.model.path


def release(governance: Governance, request: Request, version: str | None) -> Done:
    """See :meth:`mirror.models.governance.Governance.release`."""
    from mirror.models.governance import Done

    model, to = request.governed.model, request.environment
    if version is None and to == PRODUCTION:
        staged = governance.in_force(model, STAGING)
        if staged is None:
            newest = governance.submitted(request.governed, None)[1]
            refuse(governance, request, newest, "it has not been through staging", _staging_first(request))
        version = staged.version_rid
    submission, found = governance.submitted(request.governed, version)
    current = governance.in_force(model, to)
    verdicts = governance.verdicts(submission)
    if current is not None and current.version_rid == found.rid:
        return replace(_in_force_already(governance, request, current, found), verdicts=verdicts)
    _admitted(governance, request, submission, found, verdicts)
    admit_approvals(governance, request, found)
    refuse_changed(governance, request, found)
    number = put_in_force(governance, request, submission, found)
    write_decisions(governance, request.governed)
    return Done(True, f"{request.path} {found.semantic} released to {to} (release {number})", found, verdicts)


def rollback(governance: Governance, request: Request, version: str | None) -> Done:
    """See :meth:`mirror.models.governance.Governance.rollback`."""
    from mirror.models.governance import Done

    model, where, registry = request.governed.model, request.environment, governance.registry
    history = governance.releases(model, where)
    order = list(dict.fromkeys(r.version_rid for r in history))
    if not history:
        newest = registry.versions(model)[-1]
        refuse(governance, request, newest, "nothing was ever released there", "There is nothing to roll back.")
    current = registry.by_rid(history[-1].version_rid)[1]
    if version is not None:
        target = registry.version(model, version)
    elif order.index(current.rid) == 0:
        why = f"{current.semantic} is the first version released there"
        refuse(governance, request, current, why, "Name another one with --to.")
    else:
        target = registry.by_rid(order[order.index(current.rid) - 1])[1]
    if target.rid == current.rid:
        return _in_force_already(governance, request, history[-1], target)
    kept = order[-request.governed.objective.keep_versions :]
    if target.rid not in kept:
        names = ", ".join(registry.by_rid(rid)[1].semantic for rid in kept)
        never = "was never released there" if target.rid not in order else "is no longer kept for rollback"
        refuse(governance, request, target, f"it {never}", f"Kept: {names}.")
    admit_approvals(governance, request, target)
    refuse_changed(governance, request, target)
    submission = governance.submitted(request.governed, target.rid)[0]
    number = put_in_force(governance, request, submission, target)
    write_decisions(governance, request.governed)
    sentence = f"{request.path} rolled back in {where}: {current.semantic} -> {target.semantic} (release {number})"
    return Done(True, sentence, target)


def _in_force_already(governance: Governance, request: Request, current: Release, version: ModelVersion) -> Done:
    from mirror.models.governance import Done

    where = request.environment
    if current.kind == HALT:
        way_out = f"Let it score again: `mirror models resume {request.path} --approve-as NAME --reason TEXT`."
        refuse(governance, request, version, f"it is in {where} and halted (release {current.number})", way_out)
    write_decisions(governance, request.governed)
    sentence = f"{request.path} {version.semantic} is already in {where} (release {current.number})"
    return Done(False, sentence, version)


def release_command(path: str, environment: str) -> str:
    """The command that releases a model to an environment, ready to be completed by a person."""
    return f"mirror models release {path} --to {environment} --approve-as NAME --reason TEXT"


def _admitted(
    governance: Governance,
    request: Request,
    submission: Submission,
    version: ModelVersion,
    verdicts: tuple[Verdict, ...],
) -> None:
    """Refuses what the objective, as it is now, does not let in."""
    governed, to = request.governed, request.environment
    if submission.archived:
        refuse(governance, request, version, "its submission is archived", "Submit a newer version.")
    if to == PRODUCTION and all(r.version_rid != version.rid for r in governance.releases(governed.model, STAGING)):
        refuse(governance, request, version, "it has not been through staging", _staging_first(request))
    judged = {v.name: v for v in verdicts}
    texts: list[str] = []
    for rule in governed.objective.checks:
        found = judged.get(rule.name, Verdict(rule.name, Outcome.PENDING, "it was never judged"))
        if to in rule.blocks and found.outcome is not Outcome.PASS:
            texts.append(f"check {rule.name!r} says {found.outcome}: {found.detail}")
    if texts:
        way_out = f"Judge it again with `mirror models evaluate {request.path}`, or train a better one."
        refuse(governance, request, version, "; ".join(texts), way_out)
    if to == PRODUCTION:
        metrics = Candidate(governance.registry, governed.model, version).metrics()
        missing = missing_fields(version, metrics, governed.objective.card)
        if missing:
            why = f"its model card lacks {', '.join(missing)}"
            refuse(governance, request, version, why, "Record them in training and publish again.")


def admit_approvals(governance: Governance, request: Request, version: ModelVersion) -> None:
    """Refuses what fewer people approved than the environment asks for, or others."""
    environment = request.governed.objective.environments[request.environment]
    strangers = [p for p in request.approved_by if environment.approvers and p not in environment.approvers]
    if strangers:
        may = f"These may: {', '.join(environment.approvers)}."
        refuse(governance, request, version, f"{strangers[0]!r} may not approve it", may)
    given = len(set(request.approved_by))
    if given < environment.approvals:
        why = f"it has {given} approval(s) of {environment.approvals}"
        refuse(governance, request, version, why, "Give one `--approve-as NAME` per approver.")


def refuse_changed(governance: Governance, request: Request, version: ModelVersion) -> None:
    """Raises ArtefactTamperedError, ArtefactMissingError, which are on record."""
    try:
        governance.registry.verify(request.governed.model, version)
    except (ArtefactTamperedError, ArtefactMissingError) as error:
        _keep_refusal(governance, request, version, str(error))
        raise


def put_in_force(governance: Governance, request: Request, submission: Submission, version: ModelVersion) -> int:
    """Adds what was decided to the environment's history and to the audit trail; its number."""
    now, model = governance.workspace.clock(), request.governed.model
    with governance.workspace.catalog.writing() as connection:
        number = len(ledger.releases(connection, model.rid, request.environment)) + 1
        made = Release(
            rid=f"ri.models.main.release.{stable_uuid('release', model.rid, request.environment, number)}",
            objective=request.governed.objective.name,
            model_rid=model.rid,
            environment=request.environment,
            number=number,
            submission_rid=submission.rid,
            version_rid=version.rid,
            kind=request.kind,
            approved_by=tuple(dict.fromkeys(request.approved_by)),
            actor=request.actor,
            reason=request.reason,
            released_at=now,
        )
        ledger.add_release(connection, made)
        detail = {
            "environment": request.environment,
            "number": number,
            "approved_by": list(made.approved_by),
            "reason": request.reason,
        }
        ledger.record(connection, now, request.actor, request.kind, "done", model.rid, version.rid, detail)
    return number


def refuse(governance: Governance, request: Request, version: ModelVersion, why: str, way_out: str) -> NoReturn:
    """Raises ReleaseRefusedError, which is on record."""
    _keep_refusal(governance, request, version, why)
    raise ReleaseRefusedError(request.path, version.semantic, request.environment, why, way_out, request.kind)


def _keep_refusal(governance: Governance, request: Request, version: ModelVersion, why: str) -> None:
    detail = {"environment": request.environment, "why": why}
    now, model = governance.workspace.clock(), request.governed.model
    with governance.workspace.catalog.writing() as connection:
        ledger.record(connection, now, request.actor, request.kind, "refused", model.rid, version.rid, detail)


def _staging_first(request: Request) -> str:
    return f"Release it there first: `{release_command(request.path, STAGING)}`."
