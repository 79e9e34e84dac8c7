"""What must hold of a request before any gate is asked: people, roles, names, and reviews of earlier emergencies."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from mirror.promotion import errors, permission_errors
from mirror.promotion.audit import read_audit
from mirror.promotion.history import open_emergencies

if TYPE_CHECKING:
    from mirror.promotion.git import Repository
    from mirror.promotion.plan import PromotionPlan
    from mirror.promotion.promote import PromotionRequest


def check_request(plan: PromotionPlan, request: PromotionRequest, repository: Repository, now: datetime) -> None:
    """Raises:
    UnknownPersonError, UnknownAcceptanceError: a name that is none.
    UnknownGateError, OverrideRefusedError: a gate that cannot be overridden, or not by this person.
    NoEmergencyError, EmergencyReasonError: the step is no emergency, or is one and nobody says why.
    EmergencyUnreviewedError: an earlier emergency on this branch was to be reviewed by now.
    """
    policy, step = plan.policy, plan.step
    for name in (*request.approvals, *(override.by for override in request.overrides.values())):
        if name not in policy.people:
            raise errors.UnknownPersonError(name, tuple(policy.people), policy.file)
    stops = tuple(change.subject for change in plan.contracts.changes if change.stops)
    for subject in request.accepted:
        if subject not in stops:
            raise errors.UnknownAcceptanceError(subject, stops)
    gates = tuple(gate.gate for gate in step.gates)
    authors = {commit.email.lower() for commit in plan.commits if not commit.is_merge}
    for gate, override in request.overrides.items():
        if gate not in gates:
            raise permission_errors.UnknownGateError(gate, gates, f"{plan.source} -> {plan.target}")
        roles = step.ways_to_override.get(gate, ())
        if not roles:
            raise permission_errors.OverrideRefusedError(gate, override.by, f"{policy.file} lets nobody override it")
        if not set(roles) & set(policy.roles_of(override.by)):
            raise permission_errors.OverrideRefusedError(gate, override.by, f"that takes the role {' or '.join(roles)}")
        if policy.people[override.by].lower() in authors:
            raise permission_errors.OverrideRefusedError(gate, override.by, "who wrote part of this change")
    if request.emergency is not None and step.emergency is None:
        raise permission_errors.NoEmergencyError(plan.source, plan.target)
    if request.emergency is None and step.emergency is not None:
        raise permission_errors.EmergencyReasonError(plan.source, plan.target, step.emergency.reason)
    overdue = [
        str(one) for one in open_emergencies(read_audit(repository)) if one.target == plan.target and one.due < now
    ]
    if overdue:
        raise permission_errors.EmergencyUnreviewedError(plan.target, tuple(overdue))
