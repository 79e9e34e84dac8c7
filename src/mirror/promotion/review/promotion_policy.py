"""The promotion policy is valid, leads to release, and asks for tests, contracts, a build and approvals."""

from __future__ import annotations

from mirror.promotion.policy import POLICY_FILE, load_policy
from mirror.promotion.review import Answer, ReviewCase, Verdict

_ASKED_FOR = ("approvals", "contract_compatibility", "staging_build", "tests")


def examine(case: ReviewCase) -> Answer:
    file = case.repository / POLICY_FILE
    if not file.is_file():
        return Answer(Verdict.NOT_MET, "there is no policy", POLICY_FILE, "Write it; `mirror promote --help` says how.")
    policy = load_policy(file.read_text(encoding="utf-8"))
    steps = "; ".join(f"{s.source} -> {s.target}: {', '.join(g.gate for g in s.gates)}" for s in policy.steps)
    asked = {gate.gate for step in policy.steps for gate in step.gates}
    missing = [name for name in _ASKED_FOR if name not in asked]
    if missing:
        return Answer(Verdict.NOT_MET, steps, POLICY_FILE, f"Add the gates {', '.join(missing)} to a step.")
    placeholders = sorted(name for name, email in policy.people.items() if email.endswith("@example.org"))
    if placeholders:
        fix = "Replace the placeholder people by your team."
        return Answer(Verdict.NOT_MET, f"{steps}; nobody real: {', '.join(placeholders)}", POLICY_FILE, fix)
    return Answer(Verdict.MET, steps, POLICY_FILE)
