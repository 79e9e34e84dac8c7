"""The inputs of one job as it starts: pinned views, what the last run read of them, and the ports over them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mirror.builds.errors import BatchInputError
from mirror.builds.incremental import InputNow
from mirror.builds.specs import ParamSpec
from mirror.builds.state import Head, InputRange, RunRecord
from mirror.datasets import DatasetStore, TransactionType, View
from mirror.datasets.ports import DatasetReadPort, incremental_input, whole_input


@dataclass(frozen=True)
class JobInput:
    """One dataset input of one job.

    Attributes:
        before: what the last run read of it, or ``None``.
        limit: how many new transactions one run may take (``transaction_limit``).
    """

    param: ParamSpec
    path: str
    view: View
    before: InputRange | None
    replaced: frozenset[str]

    @property
    def known(self) -> bool:
        """Whether the transaction last read lies in the current view."""
        return self.before is None or any(x.rid == self.before.end for x in self.view.transactions)

    def now(self) -> InputNow:
        """For the incremental decision."""
        return InputNow(self.path, self.param.name, self.view.transactions, self.replaced, self.known)

    def limited(self, store: DatasetStore, incremental: bool) -> JobInput:
        """With ``transaction_limit``: the view that ends with the last transaction this run takes.

        Raises BatchInputError where the view holds anything but appends.
        """
        limit = self.param.settings.get("transaction_limit")
        if not limit or not self.view.transactions:
            return self
        later = self.view.transactions[1:]
        wrong = next((x for x in later if x.type is not TransactionType.APPEND), None)
        if wrong is not None or self.view.transactions[0].type in (TransactionType.UPDATE, TransactionType.DELETE):
            raise BatchInputError(self.path, (wrong or self.view.transactions[0]).type.value)
        rids = [x.rid for x in self.view.transactions]
        done = rids.index(self.before.end) + 1 if incremental and self.before else 0
        end = rids[min(done + int(limit), len(rids)) - 1]
        if end == self.view.end_rid:
            return self
        view = store.view_until(self.view.dataset, self.view.branch, end)
        return JobInput(self.param, self.path, view, self.before, self.replaced)

    def port(self, store: DatasetStore, incremental: bool, snapshot_inputs: frozenset[str]) -> DatasetReadPort:
        """What the compute function reads through."""
        if not incremental or self.before is None or self.param.name in snapshot_inputs:
            return whole_input(self.view, store.storage)
        previous = store.view_until(self.view.dataset, self.view.branch, self.before.end)
        return incremental_input(self.view, previous, store.storage)

    def range(self) -> InputRange:
        """What this run is going to write down."""
        assert self.view.end_rid is not None  # noqa: S101 - a job whose input is empty waits
        return InputRange(self.param.name, self.view.branch, self.view.start_rid, self.view.end_rid)


def open_input(
    store: DatasetStore, param: ParamSpec, path: str, head: Head, previous: RunRecord | None, incremental: bool
) -> JobInput:
    """Pins one input at its head."""
    dataset = store.dataset(path)
    view = store.view_until(dataset, head.branch, head.transaction)
    before = previous.inputs.get(path) if previous is not None else None
    replaced: frozenset[str] = frozenset()
    if incremental and before is not None and view.end_rid is not None:
        replaced = store.replacing(dataset, before.end, view.end_rid)
    return JobInput(param, path, view, before, replaced)


def ranges(inputs: Mapping[str, JobInput]) -> dict[str, InputRange]:
    """Path -> range, for the run's record."""
    return {path: entry.range() for path, entry in inputs.items()}
