"""No contract of the target is broken, unless the break was accepted by name and with a reason."""

from __future__ import annotations

from mirror.promotion.contracts import Effect
from mirror.promotion.gates import GateCase, GateSettings
from mirror.promotion.verdict import GateResult, Outcome

SETTINGS: dict[str, str] = {}


def judge(case: GateCase, settings: GateSettings) -> GateResult:
    comparison = case.plan.contracts
    if comparison.untouched and not comparison.changes:
        summary = f"{comparison.untouched}, so every declared contract is the same."
        return GateResult(settings.gate, Outcome.PASS, summary)
    if not comparison.files:
        return GateResult(
            settings.gate,
            Outcome.NOT_APPLICABLE,
            f"neither {case.plan.source!r} nor {case.plan.target!r} holds a contract where the policy looks for them.",
        )
    stops = [c for c in comparison.changes if c.stops and c.subject not in case.accepted]
    accepted = [c for c in comparison.changes if c.stops and c.subject in case.accepted]
    evidence = tuple(
        [str(change) for change in comparison.changes]
        + [f"accepted {c.subject}: {case.accepted[c.subject]}" for c in accepted]
    )
    counted = f"{len(comparison.files)} contract files, {len(comparison.changes)} changes"
    if not stops:
        rest = f", {len(accepted)} breaking ones accepted" if accepted else ", none breaking"
        return GateResult(settings.gate, Outcome.PASS, f"{counted}{rest}.", evidence)
    breaking = [c.subject for c in stops if c.effect is Effect.BREAKING]
    unclear = [c.subject for c in stops if c.effect is Effect.CANNOT_TELL]
    words = [f"breaks {', '.join(breaking)}"] * bool(breaking) + [f"cannot tell about {', '.join(unclear)}"] * bool(
        unclear
    )
    return GateResult(
        settings.gate,
        Outcome.FAIL,
        f"{counted}: {'; '.join(words)}.",
        evidence,
        "Keep the old column beside the new one until every consumer has moved, or accept the break by name: "
        f"--accept '{stops[0].subject}=why every consumer is ready'.",
    )
