"""Every override and emergency that ever was is on record here, and no emergency waits for its review too long."""

from __future__ import annotations

from mirror.promotion.audit import AUDIT_REF, read_audit
from mirror.promotion.git import Repository
from mirror.promotion.history import open_emergencies, overridden, replay
from mirror.promotion.review import Answer, ReviewCase, Verdict
from mirror.promotion.review._wording import some


def examine(case: ReviewCase) -> Answer:
    entries = read_audit(Repository(case.repository))
    link = f"git show {AUDIT_REF}:audit.jsonl"
    overrides = [one for branch in sorted(replay(entries).branches) for one in overridden(entries, branch)]
    waiting = open_emergencies(entries)
    late = [str(one) for one in waiting if one.due < case.clock()]
    proof = f"{len(entries)} entries, {len(overrides)} overrides, {len(waiting)} emergencies that wait"
    if overrides:
        proof += f": {some(overrides)}"
    if late:
        fix = "mirror review --emergency ENTRY --approve-as NAME --reason TEXT"
        return Answer(Verdict.NOT_MET, f"{proof}; overdue: {some(late)}", link, fix)
    return Answer(Verdict.MET, proof, link)
