"""The default test suite passed on these files, or the last promoted ones, within the time that the policy promises."""

from __future__ import annotations

from mirror.promotion.audit import AUDIT_REF, read_audit
from mirror.promotion.git import Repository
from mirror.promotion.policy import POLICY_FILE, load_policy
from mirror.promotion.review import Answer, ReviewCase, Verdict
from mirror.promotion.suite_record import content_of, recorded

_LIMIT_SECONDS = 60.0
_SLOW = "`python -m benchmarks suite_split` names the slowest tests and the session's share."


def examine(case: ReviewCase) -> Answer:
    """What `make test` recorded of these very files comes first; else what the gate of the last promotion measured."""
    repository, limit = Repository(case.repository), _promised(case)
    run = recorded(repository)
    stale = ""
    if run is not None:
        proof = f"`make test` on {run.at}: {run.outcome}, {run.tests} tests in {run.seconds:.1f} s of {limit:g} s"
        if run.content != content_of(repository):
            stale = f"{proof}, but files have changed since; "
        elif run.outcome == "PASS" and run.seconds >= limit and run.busy >= 1.0:
            why = f"{proof}; other work kept {run.busy:g} of {run.cores} cores busy when it began"
            return Answer(Verdict.CANNOT_TELL, why, "make test", "Run `make test` while the machine is quiet.")
        else:
            met = run.outcome == "PASS" and run.seconds < limit
            return Answer(Verdict.MET if met else Verdict.NOT_MET, proof, "make test", "" if met else _SLOW)
    for entry in reversed(read_audit(repository)):
        gates = entry.get("gates")
        for gate in gates if isinstance(gates, list) else []:
            if gate["gate"] == "tests":
                seconds, outcome = float(gate["seconds"]), str(gate["outcome"])
                met = outcome == "PASS" and seconds < limit
                proof = f"audit entry {entry['number']} ({entry['at']}): tests {outcome} in {seconds:.1f} s"
                link = f"git show {AUDIT_REF}:audit.jsonl"
                return Answer(Verdict.MET if met else Verdict.NOT_MET, stale + proof, link, "" if met else _SLOW)
    why = f"{stale}no promotion has run the tests gate yet"
    return Answer(Verdict.CANNOT_TELL, why, "make test", "Run `make test`; it records how long the suite took.")


def _promised(case: ReviewCase) -> float:
    """The least that a step's timing gate allows the tests."""
    file = case.repository / POLICY_FILE
    if not file.is_file():
        return _LIMIT_SECONDS
    gates = [gate for step in load_policy(file.read_text(encoding="utf-8")).steps for gate in step.gates]
    said = [gate.number("tests_seconds", _LIMIT_SECONDS) for gate in gates if gate.gate == "timing"]
    return min(said, default=_LIMIT_SECONDS)
