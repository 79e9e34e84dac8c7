"""The review that an emergency promotion owes: somebody who may, and who did not write it, looked at it afterwards."""

from __future__ import annotations

from typing import Any

from mirror.clock import Clock
from mirror.promotion import errors, permission_errors
from mirror.promotion.audit import read_audit
from mirror.promotion.git import Repository
from mirror.promotion.history import OpenEmergency, open_emergencies
from mirror.promotion.journal import Journal
from mirror.promotion.publish import policy_of, publish_audit


def review_emergency(repository: Repository, number: int, reviewer: str, reason: str, *, clock: Clock) -> OpenEmergency:
    """Appends the review to the audit log.

    Args:
        number: of the promotion's entry.

    Raises:
        NothingToReviewError: no such emergency waits.
        UnknownPersonError, ReviewRefusedError.
    """
    who = repository.identity()
    with Journal(repository.common_directory).locked(f"{who.name} <{who.email}>: reviews entry {number}"):
        entries = read_audit(repository)
        waiting = open_emergencies(entries)
        found = next((one for one in waiting if one.number == number), None)
        if found is None:
            raise permission_errors.NothingToReviewError(number, tuple(f"entry {one.number}" for one in waiting))
        promotion: Any = next(entry for entry in entries if entry["number"] == number)
        policy = policy_of(repository, promotion["target"]["after"])
        if reviewer not in policy.people:
            raise errors.UnknownPersonError(reviewer, tuple(policy.people), policy.file)
        step = policy.step(promotion["source"]["branch"], found.target)
        roles = step.emergency.roles if step and step.emergency else ()
        if roles and not set(roles) & set(policy.roles_of(reviewer)):
            raise permission_errors.ReviewRefusedError(reviewer, number, f"that takes the role {' or '.join(roles)}")
        commits = repository.commits(promotion["target"]["before"], promotion["source"]["commit"])
        if policy.people[reviewer].lower() in {commit.email.lower() for commit in commits}:
            raise permission_errors.ReviewRefusedError(reviewer, number, "who wrote part of it")
        facts = {
            "kind": "reviewed",
            "reviews": number,
            "target": {"branch": found.target, "commit": promotion["target"]["after"]},
            "approvals": [reviewer],
            "reason": reason,
        }
        publish_audit(repository, policy.remote, facts, who, clock)
        return found
