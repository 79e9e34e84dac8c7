"""When a run is incremental (transforms fact sheet, section 9.2): a pure function that answers with its reason."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mirror.builds.state import RunRecord
from mirror.datasets import Transaction, TransactionType


class Verdict(Enum):
    """How a run reads and writes."""

    INCREMENTAL = "incremental"
    SNAPSHOT = "snapshot"
    REFUSED = "refused"
    """``require_incremental`` is set and the run cannot be incremental: the job fails."""


@dataclass(frozen=True)
class InputNow:
    """One dataset input at the start of a run.

    Attributes:
        chain: transactions of the current view, oldest first.
        replaced: transactions after the last run that changed or removed files which were there at the last run, by
            RID; retention deletes are marked in the transaction itself.
        known: whether the last processed transaction lies in the current view.
    """

    path: str
    param: str
    chain: Sequence[Transaction]
    replaced: frozenset[str] = frozenset()
    known: bool = True


@dataclass(frozen=True)
class IncrementalDecision:
    """The verdict and, in one clause, why."""

    verdict: Verdict
    reason: str
    inconsistent: bool = False

    @property
    def incremental(self) -> bool:
        """Whether the run is incremental."""
        return self.verdict is Verdict.INCREMENTAL


def decide(
    settings: Mapping[str, Any] | None,
    reference: str,
    outputs: Mapping[str, RunRecord | None],
    built: Mapping[str, bool],
    inputs: Sequence[InputNow],
    *,
    has_inputs: bool = True,
) -> IncrementalDecision:
    """Whether a run is incremental.

    Args:
        settings: of ``@incremental``; ``None`` without it.
        reference: of the transform.
        outputs: dataset path -> the run that made its last committed transaction (``None``: no run did).
        built: dataset path -> whether it has a committed transaction at all.
        inputs: every dataset input, snapshot inputs included.
        has_inputs: whether the transform reads anything.
    """
    if settings is None:
        return IncrementalDecision(Verdict.SNAPSHOT, "the transform is not incremental")
    required = bool(settings.get("require_incremental"))
    if not any(built.values()):
        return IncrementalDecision(Verdict.SNAPSHOT, "first build")
    runs = [outputs.get(path) for path, exists in built.items() if exists]
    known = [run for run in runs if run is not None]
    wanted = int(settings.get("semantic_version", 1))
    recorded = {run.semantic_version for run in known} or {1}
    if recorded != {wanted}:
        was = ", ".join(map(str, sorted(recorded)))
        return IncrementalDecision(Verdict.SNAPSHOT, f"semantic version {wanted} instead of {was}")
    if settings.get("v2_semantics") and any(not run.v2_semantics for run in known):
        return IncrementalDecision(Verdict.SNAPSHOT, "v2_semantics was switched on")

    def no(reason: str, *, inconsistent: bool = False) -> IncrementalDecision:
        return IncrementalDecision(Verdict.REFUSED if required else Verdict.SNAPSHOT, reason, inconsistent)

    if len(known) < len(runs) or len({run.job for run in known}) != 1 or known[0].reference != reference:
        why = "provenance records for the previous build are inconsistent: its outputs were not last written by one run"
        return no(f"{why} of this transform", inconsistent=True)
    previous = known[0]
    snapshot_inputs = set(settings.get("snapshot_inputs") or ())
    for entry in inputs:
        before = previous.inputs.get(entry.path)
        if before is None or entry.param in snapshot_inputs:
            continue
        if (reason := _broken(entry, before.start, before.end, bool(settings.get("allow_retention")))) is not None:
            return no(reason)
    if not has_inputs:
        return IncrementalDecision(Verdict.INCREMENTAL, "there are no inputs; earlier output is kept")
    return IncrementalDecision(Verdict.INCREMENTAL, "only additions since the last run")


def _broken(entry: InputNow, start: str | None, end: str, allow_retention: bool) -> str | None:
    now_start = entry.chain[0].rid if entry.chain else None
    if now_start != start:
        newest = next((x for x in reversed(entry.chain) if x.type is TransactionType.SNAPSHOT), None)
        return f"input {entry.path} was replaced by a SNAPSHOT" if newest else f"input {entry.path} starts elsewhere"
    if not entry.known:
        return f"the transaction last read of input {entry.path} is not in its view any more"
    at = next((i for i, x in enumerate(entry.chain) if x.rid == end), -1)
    for transaction in entry.chain[at + 1 :]:
        if transaction.retention and allow_retention:
            continue
        if transaction.rid in entry.replaced:
            what = "removed" if transaction.type is TransactionType.DELETE else "changed"
            return (
                f"files of input {entry.path} were {what} ({transaction.type} {transaction.rid.rsplit('.', 1)[-1][:8]})"
            )
    return None
