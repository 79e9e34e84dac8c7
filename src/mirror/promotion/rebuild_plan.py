"""What the target's data still lacks once the logic is merged: which jobs run, and which results are taken over.

A result is taken over from the source's data branch or a fallback when the job there is the same logic, read the same
transactions and the same model versions. A result that grew holds what came before it, so it is taken over only where
the target has no data of its own and this very logic made every transaction in its view. The first build on the target
goes on from such a result; without one it starts over.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from statistics import median
from typing import TYPE_CHECKING

import sqlalchemy as sa

from mirror.builds import JobGraph, JobSpec
from mirror.builds import tables as t
from mirror.builds.bulk import parsed
from mirror.builds.staleness import stale_reason
from mirror.builds.state import CatalogState, Head, RunRecord, read_state
from mirror.datasets import TransactionType, ledger
from mirror.datasets import tables as t_datasets
from mirror.datasets.catalog import batches
from mirror.models.binder import ModelBinder

if TYPE_CHECKING:
    from mirror.builds import ResolvedResource
    from mirror.datasets import Workspace

_RECENT = 5


@dataclass(frozen=True)
class RebuildJob:
    """One job that has to run. ``seconds``: median of its last runs on any branch, ``None`` when it never ran."""

    reference: str
    outputs: tuple[str, ...]
    reason: str
    seconds: float | None = None


@dataclass(frozen=True)
class RebuildPlan:
    """Jobs in the order they run.

    Attributes:
        reused: dataset -> (branch, transaction) that the target takes over.
        restarted: incremental outputs that begin with nothing: no fallback shows what this logic alone made.
        fresh: jobs whose data is up to date as it is.
        waiting: reference -> why the job cannot run yet.
    """

    branch: str
    fallbacks: tuple[str, ...]
    runs: tuple[RebuildJob, ...] = ()
    reused: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    restarted: tuple[str, ...] = ()
    fresh: int = 0
    waiting: Mapping[str, str] = field(default_factory=dict)

    @property
    def seconds(self) -> float:
        """Estimate of all runs that have a history."""
        return sum(job.seconds or 0.0 for job in self.runs)

    @property
    def unmeasured(self) -> int:
        return sum(job.seconds is None for job in self.runs)

    def to_json(self) -> dict[str, object]:
        return {
            "branch": self.branch,
            "fallbacks": list(self.fallbacks),
            "runs": [{**vars(job), "outputs": list(job.outputs)} for job in self.runs],
            "reused": {path: {"branch": b, "transaction": tx} for path, (b, tx) in self.reused.items()},
            "restarted": list(self.restarted),
            "fresh": self.fresh,
            "waiting": dict(self.waiting),
            "estimate": {"seconds": round(self.seconds, 1), "jobs_without_history": self.unmeasured},
        }


def rebuild_plan(
    workspace: Workspace, specs: Sequence[JobSpec], target: str, source: str, fallbacks: Sequence[str]
) -> RebuildPlan:
    """Decides from the catalog alone. Raises CyclicPipelineError, TwoProducersError."""
    planner = _Planner(workspace, specs, target, (source, *(f for f in fallbacks if f != source)), fallbacks)
    for spec in planner.graph.specs:
        planner.decide(spec)
    seconds = _history(workspace, [job.reference for job in planner.runs])
    runs = tuple(replace(job, seconds=seconds.get(job.reference)) for job in planner.runs)
    return RebuildPlan(
        target,
        tuple(fallbacks),
        runs=runs,
        reused=planner.reused,
        restarted=tuple(sorted(planner.restarted)),
        fresh=planner.fresh,
        waiting=planner.waiting,
    )


class _Planner:
    def __init__(
        self,
        workspace: Workspace,
        specs: Sequence[JobSpec],
        target: str,
        donors: Sequence[str],
        fallbacks: Sequence[str],
    ) -> None:
        self.graph = JobGraph.of(specs)
        self.runs: list[RebuildJob] = []
        self.reused: dict[str, tuple[str, str]] = {}
        self.restarted: set[str] = set()
        self.waiting: dict[str, str] = {}
        self.fresh = 0
        self._state: CatalogState = read_state(workspace, target, fallbacks)
        self._workspace, self._target, self._donors = workspace, target, donors
        self._binder = ModelBinder(workspace)
        self._rebuilt: set[str] = set()

    def decide(self, spec: JobSpec) -> None:
        """Files the job under what becomes of it.

        Nothing is left to the first build of an incremental output on the target: it would go on from whatever the
        fallback shows by then.
        """
        self._decide(spec)
        outputs = [path for _, path in spec.dataset_outputs()]
        if spec.incremental is None or any(
            path in self.reused or self._state.on(path, self._target) for path in outputs
        ):
            return
        shown = {path: head for path in outputs if (head := self._state.heads.get(path)) and head.transaction}
        if shown and all(not head.retained and self._one_logic(spec, head.transaction) for head in shown.values()):
            self.reused |= {path: (head.branch, str(head.transaction)) for path, head in shown.items()}
        else:
            self.restarted |= set(outputs)

    def _decide(self, spec: JobSpec) -> None:
        inputs: dict[str, Head] = {}
        for param, path in spec.dataset_inputs():
            if param.branch is None and path in self._rebuilt:
                self._run(spec, f"input {path} will be rebuilt")
                return
            head = self._head(path, param.branch)
            if head is None or head.transaction is None:
                self.waiting[spec.reference] = f"input {path} holds nothing yet"
                return
            inputs[param.key(path)] = head
        resources: dict[str, ResolvedResource] = {}
        for param in (*spec.resources("input"), *spec.resources("output")):
            if param.kind in self._binder.kinds:
                resources[param.name] = self._binder.resolve(param, self._target)
        for param in spec.resources("input"):
            resolved = resources.get(param.name)
            if param.alias in self._rebuilt and param.branch is None and resolved and resolved.follows_producer:
                self._run(spec, f"{resolved.label or param.alias} will be rebuilt")
                return
            if resolved is not None and resolved.waiting:
                self.waiting[spec.reference] = resolved.waiting
                return
        reason = stale_reason(spec, self._state, self._target, inputs, resources)
        if reason is None:
            self.fresh += 1
        elif (donor := self._donor(spec, inputs, resources)) is not None:
            for _, path in spec.dataset_outputs():
                head = self._state.on(path, donor)
                if head is not None and head.transaction is not None:
                    self.reused[path] = (donor, head.transaction)
        else:
            self._run(spec, reason)

    def _head(self, path: str, pinned: str | None) -> Head | None:
        if pinned is None and path in self.reused:
            return Head(self._target, self.reused[path][1])
        return self._state.input(path, pinned)

    def _donor(
        self, spec: JobSpec, inputs: Mapping[str, Head], resources: Mapping[str, ResolvedResource]
    ) -> str | None:
        """The first branch whose outputs of this job are what the target would compute."""
        outputs = [path for _, path in spec.dataset_outputs()]
        if not outputs or spec.resources("output"):
            return None
        for donor in self._donors:
            heads = [self._state.on(path, donor) for path in outputs]
            if any(head is None or head.transaction is None or head.retained for head in heads):
                continue
            if stale_reason(spec, self._state, donor, inputs, resources) is not None:
                continue
            ends = [str(head.transaction) for head in heads if head is not None]
            run = self._state.runs.get(ends[0])
            if run is not None and not run.incremental and all(end in self._whole for end in ends):
                return donor
            here = [self._state.on(path, self._target) for path in outputs]
            new_here = all(head is None or head.transaction is None for head in here)
            if new_here and all(self._one_logic(spec, end) for end in ends):
                return donor
        return None

    @cached_property
    def _whole(self) -> frozenset[str]:
        """Heads of branches that replaced all that came before them."""
        tx = t_datasets.transactions
        heads = sa.select(t_datasets.branches.c.head)
        query = sa.select(tx.c.rid).where(tx.c.rid.in_(heads), tx.c.type == TransactionType.SNAPSHOT)
        with self._workspace.catalog.reading() as connection:
            return frozenset(connection.scalars(query))

    def _one_logic(self, spec: JobSpec, end: str | None) -> bool:
        """Whether runs of this very logic made the whole view that ends with ``end``, the first from nothing."""
        with self._workspace.catalog.reading() as connection:
            made = [transaction.rid for transaction in ledger.chain(connection, end)]
            by = t.provenance.join(t.jobs, t.provenance.c.job_rid == t.jobs.c.rid)
            documents: dict[str, str] = {}
            for some in batches(made):
                query = sa.select(t.provenance.c.transaction_rid, t.jobs.c.provenance).select_from(by)
                found = connection.execute(query.where(t.provenance.c.transaction_rid.in_(some)))
                documents |= {row[0]: row[1] for row in found}
        runs = dict(zip(documents, map(RunRecord.from_json, parsed(documents.values())), strict=True))
        if runs.keys() != set(made) or not made or runs[made[0]].incremental:
            return False
        this = (spec.reference, spec.logic_version)
        return all((run.reference, run.logic_version) == this for run in runs.values())

    def _run(self, spec: JobSpec, reason: str) -> None:
        self.runs.append(RebuildJob(spec.reference, spec.output_paths, reason))
        self._rebuilt.update(spec.output_paths)


def _history(workspace: Workspace, references: Sequence[str]) -> dict[str, float]:
    """Median seconds of the last succeeded runs of each job, on any branch."""
    taken: dict[str, list[float]] = {}
    with workspace.catalog.reading() as connection:
        for some in batches(references):
            query = sa.select(t.jobs.c.reference, t.jobs.c.started_at, t.jobs.c.finished_at)
            query = query.where(t.jobs.c.status == "succeeded", t.jobs.c.reference.in_(some))
            for reference, started, finished in connection.execute(query.order_by(t.jobs.c.finished_at)):
                if started is not None and finished is not None:
                    taken.setdefault(reference, []).append((finished - started).total_seconds())
    return {reference: median(seconds[-_RECENT:]) for reference, seconds in taken.items()}
