"""The default test suite passed on the last promoted commit in under 60 seconds."""

from __future__ import annotations

from mirror.promotion.audit import AUDIT_REF, read_audit
from mirror.promotion.git import Repository
from mirror.promotion.review import Answer, ReviewCase, Verdict

_LIMIT_SECONDS = 60.0


def examine(case: ReviewCase) -> Answer:
    link = f"git show {AUDIT_REF}:audit.jsonl"
    for entry in reversed(read_audit(Repository(case.repository))):
        gates = entry.get("gates")
        for gate in gates if isinstance(gates, list) else []:
            if gate["gate"] == "tests":
                seconds, outcome = float(gate["seconds"]), str(gate["outcome"])
                proof = f"audit entry {entry['number']} ({entry['at']}): tests {outcome} in {seconds:.1f} s"
                met = outcome == "PASS" and seconds < _LIMIT_SECONDS
                fix = (
                    "" if met else "`python -m benchmarks suite_split` names the slowest tests and the session's share."
                )
                return Answer(Verdict.MET if met else Verdict.NOT_MET, proof, link, fix)
    return Answer(
        Verdict.CANNOT_TELL,
        "no promotion has run the tests gate yet, and a time measured anywhere else is not recorded",
        link,
        "Promote to staging once, or run `python -m benchmarks suite_split` to see it now.",
    )
