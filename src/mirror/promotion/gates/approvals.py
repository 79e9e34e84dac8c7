"""Somebody of every role the step asks for approved, nobody twice, and nobody their own change.

``roles`` are asked for always, those of ``by_path`` when a file of the change matches the glob.
"""

from __future__ import annotations

from itertools import permutations

from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.path_globs import matching
from mirror.promotion.verdict import GateResult, Outcome

SETTINGS = {"roles": "roles"}
OPTIONAL = {"by_path": "role_lists"}


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    policy = case.plan.policy
    asked = dict.fromkeys(settings.texts("roles"), "always")
    for glob, more in settings.lists("by_path").items():
        if touched := matching([path for _, path in case.plan.files], [glob]):
            asked |= {role: touched[0] for role in more if role not in asked}
    roles = tuple(asked)
    authors = {commit.email.lower(): commit.author for commit in case.plan.commits if not commit.is_merge}
    own = [name for name in case.approvals if policy.people[name].lower() in authors]
    valid = [name for name in case.approvals if name not in own]
    evidence = tuple(
        [f"needed: {role} ({why})" for role, why in asked.items()]
        + [
            f"{name} <{policy.people[name]}>: {', '.join(policy.roles_of(name)) or 'no role'}"
            for name in case.approvals
        ]
        + list(case.expired)
        + [f"author: {name} <{email}>" for email, name in sorted(authors.items())]
    )
    # One person may hold several roles but stands for one of them only.
    filled = any(
        all(name in policy.roles[role] for name, role in zip(chosen, roles, strict=True))
        for chosen in permutations(valid, len(roles))
    )
    if filled:
        return GateResult(
            settings.gate, Outcome.PASS, f"approved by {', '.join(valid)} for {', '.join(roles)}.", evidence
        )
    missing = [role for role in roles if not any(name in policy.roles[role] for name in valid)] or list(roles)
    candidates = sorted(
        {name for role in missing for name in policy.roles[role] if policy.people[name].lower() not in authors}
    )
    who = (
        f"--approve-as {' or '.join(repr(name) for name in candidates)}"
        if candidates
        else (f"Everybody in {', '.join(missing)} wrote part of it: add another person to the role in {policy.file}")
    )
    if own:
        summary = (
            f"{', '.join(own)} wrote part of this change and cannot approve it; still needed: {', '.join(missing)}."
        )
    elif case.approvals:
        summary = f"{', '.join(case.approvals)} cannot stand for {', '.join(missing)}."
    elif case.expired:
        summary = f"what was approved is no longer the head: {'; '.join(case.expired)}; needed: {', '.join(roles)}."
    else:
        summary = f"nobody approved; needed: one person each of {', '.join(roles)}."
    return GateResult(settings.gate, Outcome.FAIL, summary, evidence, f"Ask for approval: {who}.")
