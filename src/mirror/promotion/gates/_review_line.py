"""How a gate that is a line of the production checklist is judged: on the merged tree."""

from __future__ import annotations

from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.review import ReviewCase, Verdict, line
from mirror.promotion.verdict import GateResult, Outcome


def judge_line(case: GateCase, settings: GateSettings, name: str) -> GateResult:
    """Met passes, not met fails; what cannot be told is an ``ERROR``, because it blocks as well."""
    answer = line(name).examine(ReviewCase(case.tree, case.workspace, case.clock))
    outcome = {Verdict.MET: Outcome.PASS, Verdict.CANNOT_TELL: Outcome.ERROR}.get(answer.verdict, Outcome.FAIL)
    return GateResult(settings.gate, outcome, f"{answer.proof}.", (f"see {answer.link}",), answer.fix)
