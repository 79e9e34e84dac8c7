"""What describes a part of the repository changed with it: a change below one glob comes with one below another."""

from __future__ import annotations

from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.path_globs import matching
from mirror.promotion.verdict import GateResult, Outcome

SETTINGS = {"described_by": "lists"}


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    changed = [path for _, path in case.plan.files]
    touched = {
        glob: (matching(changed, [glob]), matching(changed, documents))
        for glob, documents in settings.lists("described_by").items()
    }
    told = {glob: found for glob, found in touched.items() if found[0]}
    if not told:
        return GateResult(settings.gate, Outcome.NOT_APPLICABLE, "nothing that the policy wants described has changed.")
    evidence = tuple(
        f"{glob}: {', '.join(code[:3])} with {', '.join(docs) or 'nothing'}" for glob, (code, docs) in told.items()
    )
    silent = [glob for glob, (_, docs) in told.items() if not docs]
    if silent:
        wanted = sorted({document for glob in silent for document in settings.lists("described_by")[glob]})
        fix = f"Say what changed in {' or '.join(wanted)}."
        return GateResult(settings.gate, Outcome.FAIL, f"{', '.join(silent)} changed and no text did.", evidence, fix)
    return GateResult(settings.gate, Outcome.PASS, f"{len(told)} changed parts are described anew.", evidence)
