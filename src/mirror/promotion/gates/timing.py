"""The gates before this one kept to their time: each named one to its budget, all together to theirs."""

from __future__ import annotations

from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.verdict import GateResult, Outcome

SETTINGS = {"together_seconds": "number"}
OPTIONAL = {"tests_seconds": "number", "lint_seconds": "number", "types_seconds": "number"}


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    taken = {result.gate: result.seconds for result in case.heard}
    total, limit = sum(taken.values()), settings.number("together_seconds")
    over = [f"all together took {total:.1f} s of {limit:g} s"] if total > limit else []
    for key in OPTIONAL:
        name = key.removesuffix("_seconds")
        if key in settings.values and taken.get(name, 0.0) > settings.number(key):
            over.append(f"{name} took {taken[name]:.1f} s of {settings.number(key):g} s")
    evidence = tuple(f"{name}: {seconds:.1f} s" for name, seconds in taken.items())
    if not taken:
        return GateResult(
            settings.gate, Outcome.NOT_APPLICABLE, "no gate stands before this one, so nothing was timed."
        )
    if over:
        fix = "Move slow tests to the nightly job; people stop waiting for a gate that keeps them longer."
        return GateResult(settings.gate, Outcome.FAIL, f"{'; '.join(over)}.", evidence, fix)
    return GateResult(settings.gate, Outcome.PASS, f"{total:.1f} s of {limit:g} s.", evidence)
