"""Trying the version in staging on production data: in shadow, or live for a share of devices."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mirror.datasets.ids import stable_uuid
from mirror.models import ledger
from mirror.models.decisions import write_decisions
from mirror.models.records import PRODUCTION, STAGING, Trial
from mirror.models.releasing import Request, admit_approvals, refuse

if TYPE_CHECKING:
    from mirror.models.governance import Done, Governance


def try_out(governance: Governance, request: Request, role: str, share: float) -> Done:
    """See :meth:`mirror.models.governance.Governance.try_out`."""
    from mirror.models.governance import Done

    model, registry = request.governed.model, governance.registry
    staged, champion = governance.in_force(model, STAGING), governance.in_force(model, PRODUCTION)
    if staged is None:
        newest = governance.submitted(request.governed, None)[1]
        refuse(governance, request, newest, "nothing is in staging", "Release it there first.")
    version = registry.by_rid(staged.version_rid)[1]
    if champion is None or champion.version_rid == version.rid:
        why = "there is no other version in production to compare it with"
        refuse(governance, request, version, why, "Release a newer version to staging.")
    if not 0.0 <= share <= 1.0:
        refuse(governance, request, version, f"{share:g} is no share of devices", "Give one from 0 to 1; 0 ends it.")
    admit_approvals(governance, request, version)
    known = governance.trials(model)
    held = known[-1] if known else None
    if held is not None and (held.version_rid, held.role, held.share) == (version.rid, role, share):
        write_decisions(governance, request.governed)
        return Done(False, f"{request.path} {version.semantic} is tried so already (trial {held.number})", version)
    number = decide_trial(governance, request, version.rid, role, share)
    what = f"tried as {role} on {share:.0%} of the devices" if share else "not tried any more"
    return Done(True, f"{request.path} {version.semantic} is {what} (trial {number})", version)


def decide_trial(governance: Governance, request: Request, version_rid: str, role: str, share: float) -> int:
    """Writes down how a version is tried from now on, in the ledger, the audit trail and the decisions; its number."""
    model = request.governed.model
    now, number = governance.workspace.clock(), len(governance.trials(model)) + 1
    trial = Trial(
        rid=f"ri.models.main.trial.{stable_uuid('trial', model.rid, number)}",
        model_rid=model.rid,
        version_rid=version_rid,
        number=number,
        role=role,
        share=share,
        approved_by=tuple(dict.fromkeys(request.approved_by)),
        actor=request.actor,
        reason=request.reason,
        decided_at=now,
    )
    detail = {"role": role, "share": share, "approved_by": list(trial.approved_by), "reason": request.reason}
    with governance.workspace.catalog.writing() as connection:
        ledger.add_trial(connection, trial)
        ledger.record(connection, now, request.actor, request.kind, "done", model.rid, version_rid, detail)
    write_decisions(governance, request.governed)
    return number
