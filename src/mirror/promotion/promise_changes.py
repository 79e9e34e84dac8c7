"""What became of the expectations on a dataset: which were dropped, loosened or tightened."""

from __future__ import annotations

from collections.abc import Iterator

from mirror.promotion.contracts import Contract, ContractChange, Effect, Promise

# Comparison -> whether a larger limit lets more through, and whether the limit itself passes.
_COMPARISONS = {"lt": (True, False), "lte": (True, True), "gt": (False, False), "gte": (False, True)}


def promise_changes(old: Contract, new: Contract) -> Iterator[ContractChange]:
    """What became of the expectations: consumers may rely on each that fails a build."""
    was = {p.text: p for p in old.promises if p.on_error == "FAIL"}
    now = {p.text: p for p in new.promises if p.on_error == "FAIL"}
    warns = {p.text for p in new.promises if p.on_error != "FAIL"}
    fresh = [p for text, p in now.items() if text not in was]
    for text, gone in was.items():
        if text in now:
            continue
        subject = f"{old.dataset}.{gone.column}" if gone.column else old.dataset
        successor = next((p for p in fresh if p.about == gone.about), None)
        if text in warns:
            why = "what breaks it is written all the same, with a warning"
            yield ContractChange(subject, f"expectation loosened to a warning: {text}", Effect.BREAKING, why)
        elif successor is None:
            why = "consumers may meet what it ruled out"
            yield ContractChange(subject, f"expectation removed: {text}", Effect.BREAKING, why)
        else:
            fresh.remove(successor)
            yield _limit_change(subject, gone, successor)
    for added in fresh:
        subject = f"{new.dataset}.{added.column}" if added.column else new.dataset
        why = "consumers are promised more than before"
        yield ContractChange(subject, f"expectation added: {added.text}", Effect.COMPATIBLE, why)


def _limit_change(subject: str, old: Promise, new: Promise) -> ContractChange:
    shown = f"{old.text} -> {new.text}"
    looser = _is_looser(old, new)
    if looser is None:
        why = "neither side contains the other as far as can be told"
        return ContractChange(subject, f"expectation changed: {shown}", Effect.CANNOT_TELL, why)
    if looser:
        why = "consumers may meet values that the old one ruled out"
        return ContractChange(subject, f"expectation loosened: {shown}", Effect.BREAKING, why)
    why = "whatever passes now passed before"
    return ContractChange(subject, f"expectation tightened: {shown}", Effect.COMPATIBLE, why)


def _is_looser(old: Promise, new: Promise) -> bool | None:
    """Whether the new promise lets through what the old one did not; ``None`` when that cannot be told."""
    if old.values is not None and new.values is not None:
        return True if new.values > old.values else False if new.values < old.values else None
    before, after = _COMPARISONS.get(old.operator or ""), _COMPARISONS.get(new.operator or "")
    if before is None or after is None or old.limit is None or new.limit is None or before[0] is not after[0]:
        return None
    if old.limit == new.limit:
        return after[1]
    return (new.limit > old.limit) is after[0]
