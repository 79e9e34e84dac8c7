"""The pipeline and its profiles load, and every dataset it writes declares its columns."""

from __future__ import annotations

from mirror.promotion.contracts import Contract, Unreadable
from mirror.promotion.declared import declared
from mirror.promotion.review import Answer, ReviewCase, Verdict
from mirror.promotion.review._wording import some


def examine(case: ReviewCase) -> Answer:
    found = declared(case.repository, ".", ("shims/transforms-mock/src",), case.clock).contracts
    link = "mirror checks"
    if not found:
        return Answer(
            Verdict.NOT_MET, "no pipeline is declared", "transforms-python/src/setup.py", "Declare an entry point."
        )
    if isinstance(found[0], Unreadable):
        return Answer(
            Verdict.NOT_MET, found[0].problem, found[0].file, "Mend what the message names: nothing can be built."
        )
    contracts = [item for item in found if isinstance(item, Contract)]
    silent = [c.dataset for c in contracts if not c.declares_columns]
    keyless = [c.dataset for c in contracts if c.declares_columns and c.key is None]
    proof = (
        f"{len(contracts)} outputs, {len(contracts) - len(silent)} declare columns, {len(keyless)} of them without key"
    )
    if silent:
        fix = "Put a FAIL check with E.schema() on the output."
        return Answer(Verdict.NOT_MET, f"{proof}; no columns: {some(silent)}", link, fix)
    return Answer(Verdict.MET, proof, link)
