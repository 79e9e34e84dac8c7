"""When a run is incremental (transforms fact sheet, section 9.2): a pure function that answers with its reason."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from mirror.builds.state import InputRange, RunRecord
from mirror.datasets import Transaction, TransactionType
from mirror.datasets.ids import short

FIRST_BUILD = "first build"


class Verdict(Enum):
    """How a run reads and writes."""

    INCREMENTAL = "incremental"
    SNAPSHOT = "snapshot"
    REFUSED = "refused"
    """The job fails: see :class:`Refusal`."""
    UNDECIDED = "decided when upstream has run"
    """Only in a plan: an input is made by the same build, and what its maker will commit is not known yet."""


class Refusal(Enum):
    """Why a job fails instead of running as a snapshot; the values are Foundry's names where it has one."""

    REQUIRED = "require_incremental"
    INCONSISTENT = "InconsistentProvenanceRecords"
    NOT_IN_VIEW = "Catalog:TransactionsNotInView"
    BEHIND = "Catalog:InconsistentBranchesOrder"
    NO_BATCHES = "Build2:InvalidTransactionTypeForBatchInputResolution"


@dataclass(frozen=True)
class InputNow:
    """One dataset input at the start of a run.

    Attributes:
        path: dataset path; with ``@branch`` where the declaration pins one.
        chain: transactions of the current view, oldest first.
        replaced: transactions after the last run that changed or removed files which were there at the last run, by
            RID; retention deletes are marked in the transaction itself.
        known: whether the last processed transaction lies in the current view.
        behind: whether it lies after the head of the branch, which was moved back.
        batched: whether a ``transaction_limit`` is declared.
    """

    path: str
    param: str
    chain: Sequence[Transaction]
    replaced: frozenset[str] = frozenset()
    known: bool = True
    behind: bool = False
    batched: bool = False


@dataclass(frozen=True)
class IncrementalDecision:
    """The verdict and, in one clause, why; ``batches`` says which inputs are not read up to their end."""

    verdict: Verdict
    reason: str
    refusal: Refusal | None = None
    batches: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "; ".join((f"{self.verdict.value}: {self.reason}", *self.batches))

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
    pending: Mapping[str, str] | None = None,
    dropped: bool = False,
    forced: Sequence[str] = (),
) -> IncrementalDecision:
    """Whether a run is incremental.

    Args:
        settings: of ``@incremental``; ``None`` without it.
        reference: of the transform.
        outputs: dataset path -> the run that made its last committed transaction (``None``: no run did).
        built: dataset path -> whether it has a committed transaction at all.
        inputs: every dataset input whose head is known, snapshot inputs included.
        pending: path -> parameter of inputs that the same build makes first.
        dropped: the last run called ``abort()`` on each of its outputs.
        forced: outputs for which a snapshot was asked (`mirror rollback --snapshot`); as a new semantic version does,
            this counts before ``require_incremental``.
    """
    if settings is None:
        return IncrementalDecision(Verdict.SNAPSHOT, "the transform is not incremental")
    pending = pending or {}
    for entry in inputs:
        if entry.batched and (wrong := unbatchable(entry.chain)) is not None:
            what = f"input {entry.path} has a transaction_limit and its view holds a {named(wrong)}"
            return IncrementalDecision(Verdict.REFUSED, what, Refusal.NO_BATCHES)
    if not any(built.values()):
        return IncrementalDecision(Verdict.SNAPSHOT, FIRST_BUILD)
    if forced:
        return IncrementalDecision(Verdict.SNAPSHOT, f"a snapshot of {', '.join(forced)} was asked for")
    runs = [outputs.get(path) for path, exists in built.items() if exists]
    known = [run for run in runs if run is not None]
    wanted = int(settings.get("semantic_version", 1))
    recorded = {run.semantic_version for run in known} or {1}
    if recorded != {wanted}:
        was = ", ".join(map(str, sorted(recorded)))
        return IncrementalDecision(Verdict.SNAPSHOT, f"semantic version {wanted} instead of {was}")
    if settings.get("v2_semantics") and any(not run.v2_semantics for run in known):
        return IncrementalDecision(Verdict.SNAPSHOT, "v2_semantics was switched on")
    # Foundry's guide exempts a run of which one output was never built; its reference exempts only the very first one.
    required = bool(settings.get("require_incremental")) and all(built.values())

    def no(reason: str, refusal: Refusal = Refusal.REQUIRED) -> IncrementalDecision:
        if required:
            return IncrementalDecision(Verdict.REFUSED, reason, refusal)
        return IncrementalDecision(Verdict.SNAPSHOT, reason)

    if (mixed := _inconsistent(reference, outputs, built)) is not None:
        why = "provenance records for the previous build are inconsistent"
        return no(f"{why}: {mixed}", Refusal.INCONSISTENT)
    if dropped and settings.get("v2_semantics"):
        why = "the last run aborted its outputs one by one; with v2_semantics only ctx.abort_job() stays incremental"
        return no(why, Refusal.INCONSISTENT)
    previous = known[0]
    snapshot_inputs = frozenset(settings.get("snapshot_inputs") or ())
    compared = [(entry, before) for entry in inputs if (before := compared_with(previous, entry, snapshot_inputs))]
    for entry, before in compared:
        if (reason := _broken(entry, before, bool(settings.get("allow_retention")))) is not None:
            return no(reason)
    # Asked last: a run that starts over does not need to know where it stopped.
    for entry, _ in compared:
        if not entry.known:
            return _lost(entry)
    for path, param in pending.items():
        if (before := previous.inputs.get(path)) and not before.snapshot and param not in snapshot_inputs:
            return IncrementalDecision(Verdict.UNDECIDED, f"input {path} is made first")
    if not inputs and not pending:
        return IncrementalDecision(Verdict.INCREMENTAL, "there are no inputs; earlier output is kept")
    return IncrementalDecision(Verdict.INCREMENTAL, "only additions since the last run")


def compared_with(previous: RunRecord | None, entry: InputNow, snapshot_inputs: frozenset[str]) -> InputRange | None:
    """What the last run processed of an input, or ``None`` where nothing is to be compared: the input is new, or it is
    or was a snapshot input, of which no increment was ever processed.
    """
    before = None if previous is None else previous.inputs.get(entry.path)
    return None if before is None or before.snapshot or entry.param in snapshot_inputs else before


def unbatchable(chain: Sequence[Transaction]) -> Transaction | None:
    """The first transaction that forbids taking a view in batches: anything but APPEND, after a first SNAPSHOT."""
    allowed = (TransactionType.APPEND, TransactionType.SNAPSHOT)
    return next((x for at, x in enumerate(chain) if x.type not in allowed[: 1 if at else 2]), None)


def named(transaction: Transaction) -> str:
    """Type and short RID, as ``mirror history`` shows it."""
    return f"{transaction.type} {short(transaction.rid)}"


def _inconsistent(
    reference: str, outputs: Mapping[str, RunRecord | None], built: Mapping[str, bool]
) -> str | None:  # fmt: skip
    """Which outputs were last written by something else than one run of this transform."""
    made = {path: outputs.get(path) for path, exists in built.items() if exists}
    foreign = [path for path, run in made.items() if run is None or _label(run.reference) != _label(reference)]
    if foreign:
        return f"{', '.join(foreign)} was last written by something else than this transform"
    if len({run.job for run in made.values() if run is not None}) != 1:
        return f"{', '.join(made)} were last written by different runs"
    return None


def _label(reference: str) -> str:
    """Module and name: a transform that got or lost an output is the same one."""
    return reference.partition("(")[0]


def _broken(entry: InputNow, before: InputRange, allow_retention: bool) -> str | None:
    start = entry.chain[0] if entry.chain else None
    if start is None or start.rid != before.start:
        if start is not None and start.type is TransactionType.SNAPSHOT:
            return f"input {entry.path} was replaced by a {named(start)}"
        return f"input {entry.path} begins with another transaction than at the last run"
    for transaction in _later(entry, before):
        if transaction.retention and allow_retention:
            continue
        if transaction.rid in entry.replaced:
            what = "removed" if transaction.type is TransactionType.DELETE else "changed"
            by = f"retention, {named(transaction)}" if transaction.retention else named(transaction)
            return f"files of input {entry.path} were {what} ({by})"
    return None


def _later(entry: InputNow, before: InputRange) -> Iterator[Transaction]:
    at = next((i for i, x in enumerate(entry.chain) if x.rid == before.end), None)
    yield from () if at is None else entry.chain[at + 1 :]


def _lost(entry: InputNow) -> IncrementalDecision:
    if entry.behind:
        why = f"the branch of input {entry.path} ends before the transaction that the last run read"
        return IncrementalDecision(Verdict.REFUSED, why, Refusal.BEHIND)
    why = f"the transaction last read of input {entry.path} is not in its view any more"
    return IncrementalDecision(Verdict.REFUSED, why, Refusal.NOT_IN_VIEW)
