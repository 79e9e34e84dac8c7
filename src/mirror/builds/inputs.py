"""The inputs of one job: what the last run read of them, how a run may read them now, and the ports over them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from mirror.builds.incremental import IncrementalDecision, InputNow, decide
from mirror.builds.specs import JobSpec, ParamSpec
from mirror.builds.state import CatalogState, Head, InputRange, RunRecord
from mirror.datasets import DatasetStore, TransactionType, View
from mirror.datasets.ports import DatasetReadPort, incremental_input, whole_input


def decide_mode(
    store: DatasetStore,
    state: CatalogState,
    spec: JobSpec,
    branch: str,
    heads: Mapping[str, Head],
    pending: Mapping[str, str] | None = None,
) -> IncrementalDecision:
    """How a job will run; asked once by the plan and once, with every head known, by the job itself.

    Args:
        heads: input (see ``ParamSpec.key``) -> where it stands.
        pending: path -> parameter of inputs that the same build makes first.
    """
    if spec.incremental is None:
        return decide(None, spec.reference, {}, {}, ())
    outputs = {path: state.output(path, branch) for _, path in spec.dataset_outputs()}
    made = {path: None if head is None else head.transaction for path, head in outputs.items()}
    runs = {path: state.runs.get(rid) if rid else None for path, rid in made.items()}
    built = {path: rid is not None for path, rid in made.items()}
    previous = previous_run(state, spec, branch)
    inputs = [
        _input_now(store, param, path, heads[param.key(path)], previous)
        for param, path in spec.dataset_inputs()
        if param.key(path) in heads
    ]
    dropped = _dropped(state.latest.get(spec.reference), outputs)
    forced = tuple(path for path in outputs if path in state.forced)
    decided = decide(
        spec.incremental, spec.reference, runs, built, inputs, pending=pending, dropped=dropped, forced=forced
    )
    if decided.refusal is not None:
        return decided
    return replace(decided, batches=tuple(_batches(spec, inputs, previous if decided.incremental else None)))


def _batches(spec: JobSpec, inputs: Sequence[InputNow], previous: RunRecord | None) -> Iterator[str]:
    """What a ``transaction_limit`` leaves for later runs."""
    limits = {param.key(path): param.settings.get("transaction_limit") for param, path in spec.dataset_inputs()}
    for entry in inputs:
        before = None if previous is None else previous.inputs.get(entry.path)
        rids = [x.rid for x in entry.chain]
        new = len(rids) - (rids.index(before.end) + 1 if before is not None and before.end in rids else 0)
        limit = limits[entry.path]
        if limit and new > int(limit):
            yield f"takes {limit} of the {new} new transactions of {entry.path}"


def previous_run(state: CatalogState, spec: JobSpec, branch: str) -> RunRecord | None:
    """The run that an incremental run continues."""
    heads = (state.output(path, branch) for _, path in spec.dataset_outputs())
    rids = (head.transaction for head in heads if head is not None and head.transaction is not None)
    return next((run for rid in rids if (run := state.runs.get(rid)) is not None), None)


def _dropped(latest: RunRecord | None, outputs: Mapping[str, Head | None]) -> bool:
    """Whether the newest run left every output as it is by aborting it."""
    if latest is None or not outputs or latest.outputs.keys() != outputs.keys():
        return False
    ends = {path: None if head is None else head.end for path, head in outputs.items()}
    return all(x.transaction is None and x.head_before == ends[path] for path, x in latest.outputs.items())


def _input_now(store: DatasetStore, param: ParamSpec, path: str, head: Head, previous: RunRecord | None) -> InputNow:
    key = param.key(path)
    before = previous.inputs.get(key) if previous is not None else None
    batched = "transaction_limit" in param.settings
    if before is None and not batched:
        return InputNow(key, param.name, ())
    chain = store.chain_until(head.end)
    if before is None or not chain:
        return InputNow(key, param.name, chain, batched=batched)
    at = next((i for i, x in enumerate(chain) if x.rid == before.end), None)
    if at is None:
        behind = any(x.rid == head.end for x in store.chain_until(before.end))
        return InputNow(key, param.name, chain, known=False, behind=behind, batched=batched)
    replaced: frozenset[str] = frozenset()
    # An APPEND cannot touch files that are there, so most runs need not look at any.
    if any(x.type is not TransactionType.APPEND for x in chain[at + 1 :]):
        replaced = store.replacing(store.dataset(path), before.end, chain[-1].rid)
    return InputNow(key, param.name, chain, replaced, batched=batched)


@dataclass(frozen=True)
class JobInput:
    """One dataset input of one job.

    Attributes:
        before: what the last run read of it, or ``None`` where everything counts as new.
        whole: it is a snapshot input, read in full at every run.
    """

    param: ParamSpec
    path: str
    view: View
    before: InputRange | None
    whole: bool = False

    @property
    def key(self) -> str:
        """See ``ParamSpec.key``."""
        return self.param.key(self.path)

    def limited(self, store: DatasetStore, incremental: bool) -> JobInput:
        """With ``transaction_limit``: the view that ends with the last transaction this run takes."""
        limit = self.param.settings.get("transaction_limit")
        if not limit or not self.view.transactions:
            return self
        rids = [x.rid for x in self.view.transactions]
        done = rids.index(self.before.end) + 1 if incremental and self.before else 0
        end = rids[min(done + int(limit), len(rids)) - 1]
        if end == self.view.end_rid:
            return self
        return replace(self, view=store.view_until(self.view.dataset, self.view.branch, end))

    def port(self, store: DatasetStore, incremental: bool) -> DatasetReadPort:
        """What the compute function reads through."""
        if not incremental or self.before is None or self.whole:
            return whole_input(self.view, store.storage)
        # What retention took away meanwhile is in no mode of a run that forgives it.
        previous = store.view_until(self.view.dataset, self.view.branch, self.before.end, without_swept=True)
        return incremental_input(self.view, previous, store.storage)

    def range(self) -> InputRange:
        """What this run is going to write down."""
        assert self.view.end_rid is not None  # noqa: S101 - a job whose input is empty waits
        newest = next((x.rid for x in reversed(self.view.transactions) if not x.retention), None)
        return InputRange(self.param.name, self.view.branch, self.view.start_rid, self.view.end_rid, newest, self.whole)


def open_input(
    store: DatasetStore, spec: JobSpec, param: ParamSpec, path: str, head: Head, previous: RunRecord | None
) -> JobInput:
    """Pins one input at its head."""
    view = store.view_until(store.dataset(path), head.branch, head.end)
    before = previous.inputs.get(param.key(path)) if previous is not None else None
    whole = param.name in ((spec.incremental or {}).get("snapshot_inputs") or ())
    return JobInput(param, path, view, None if before is None or before.snapshot else before, whole)


def ranges(inputs: Sequence[JobInput]) -> dict[str, InputRange]:
    """Input -> range, for the run's record. What one parameter reads by increments counts before another's whole."""
    return {entry.key: entry.range() for entry in sorted(inputs, key=lambda entry: not entry.whole)}
