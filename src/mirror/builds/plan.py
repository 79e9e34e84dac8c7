"""The plan: one frozen decision per job, with its reason. Running only executes it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mirror.builds.ancestry import refuse_other_ancestry
from mirror.builds.bulk import without_collector
from mirror.builds.discovery import RepositoryPipeline
from mirror.builds.errors import UnboundKindError, WaitingTargetError
from mirror.builds.graph import JobGraph
from mirror.builds.incremental import IncrementalDecision
from mirror.builds.inputs import decide_mode
from mirror.builds.resources import ResolvedResource, ResourceBinder
from mirror.builds.scope import Scope
from mirror.builds.specs import VALUE_KINDS, JobSpec
from mirror.builds.staleness import stale_reason, up_to_date
from mirror.builds.state import CatalogState, Head, read_state
from mirror.datasets import DatasetStore, Workspace
from mirror.datasets.store import path_problem


class Decision(StrEnum):
    """What happens to a job."""

    RUN = "run"
    SKIP = "skip"
    """Up to date."""
    WAIT = "wait"
    """It cannot run yet; nothing is wrong."""


@dataclass(frozen=True)
class JobDecision:
    """What happens to one job, and why.

    Attributes:
        inputs: input (see ``ParamSpec.key``) -> head that will be read; what the build itself makes is read from its
            producer.
        upstream: references of jobs of this plan that run before it.
        mode: how a job that runs will read and write, and why.
        always: it runs even when nothing it reads has changed.
    """

    spec: JobSpec
    decision: Decision
    reason: str
    inputs: Mapping[str, Head] = field(default_factory=dict)
    upstream: frozenset[str] = frozenset()
    mode: IncrementalDecision | None = None
    always: bool = False

    @property
    def how(self) -> str:
        """Verdict and reason of a job that runs, such as ``incremental: only additions since the last run``."""
        return "" if self.mode is None else str(self.mode)

    def to_json(self) -> dict[str, Any]:
        """For ``--dry-run --json``."""
        return {
            "transform": self.spec.name,
            "reference": self.spec.reference,
            "outputs": list(self.spec.output_paths),
            "decision": self.decision.value,
            "reason": self.reason,
            "mode": self.how,
            "inputs": {path: {"branch": h.branch, "transaction": h.transaction} for path, h in self.inputs.items()},
        }


@dataclass(frozen=True)
class BuildPlan:
    """Decisions in an order in which producers come first."""

    branch: str
    fallbacks: tuple[str, ...]
    jobs: tuple[JobDecision, ...]
    forced: bool = False

    @property
    def to_run(self) -> tuple[JobDecision, ...]:
        """The jobs that will run."""
        return tuple(job for job in self.jobs if job.decision is Decision.RUN)

    def to_json(self) -> dict[str, Any]:
        """For ``--dry-run --json``."""
        return {"branch": self.branch, "fallbacks": list(self.fallbacks), "jobs": [job.to_json() for job in self.jobs]}


@without_collector
def plan(
    workspace: Workspace,
    pipeline: RepositoryPipeline,
    targets: Sequence[str] | Scope = (),
    branch: str | None = None,
    *,
    fallbacks: Sequence[str] = (),
    force: bool = False,
    binders: Sequence[ResourceBinder] = (),
) -> BuildPlan:
    """Decides for the targets and everything they need (without targets: for all; or for a scope's jobs) what runs.

    A job with a parameter that nobody here serves waits. Raises UnknownTargetError, NoPathError,
    CyclicPipelineError, TwoProducersError, FallbackMismatchError, and WaitingTargetError when a target that was asked
    for by name must wait.
    """
    branch = branch or workspace.config.default_branch
    graph = JobGraph.of(pipeline.specs)
    scope = Scope.of(targets)
    chosen = scope.select(graph)
    refuse_other_ancestry(workspace.store, chosen, branch, fallbacks)
    state = read_state(workspace, branch, fallbacks)
    by_kind = {kind: b for b in binders for kind in b.kinds}
    always = always_stale(workspace, graph)
    planner = _Planner(workspace.store, graph, state, branch, force, by_kind, pipeline, always)
    for spec in chosen:
        planner.decide(spec)
    for target in scope.targets:
        decided = planner.decided.get(graph.producer(target))
        if decided is not None and decided.decision is Decision.WAIT:
            raise WaitingTargetError(target, decided.reason)
    return BuildPlan(branch, tuple(fallbacks), tuple(planner.decided.values()), force)


def always_stale(workspace: Workspace, graph: JobGraph) -> frozenset[str]:
    """References of the jobs that every build runs, as the workspace says. Raises UnknownTargetError."""
    names = workspace.config.always_stale
    return frozenset(graph.producer(workspace.store.rids.get(name, name)) for name in names)


class _Planner:
    def __init__(
        self,
        store: DatasetStore,
        graph: JobGraph,
        state: CatalogState,
        branch: str,
        force: bool,
        binders: Mapping[str, ResourceBinder],
        pipeline: RepositoryPipeline,
        always: Set[str],
    ) -> None:
        self._store = store
        self._graph = graph
        self._state = state
        self._branch = branch
        self._force = force
        self._binders = binders
        self._elsewhere = pipeline.elsewhere
        self._owners = pipeline.owners
        self._always = always
        self.decided: dict[str, JobDecision] = {}

    def decide(self, spec: JobSpec) -> None:
        inputs, waiting, pending = self._inputs(spec)
        rebuilt = next((f"input {path} will be rebuilt" for path in pending), None)
        resources = self._resources(spec)
        unserved = None
        for param in spec.resources("input"):
            resolved = resources.get(param.name)
            if resolved is None:
                continue
            producer = self._decision_of(param.alias, param.branch)
            made_now = producer is not None and producer.decision is Decision.RUN and resolved.follows_producer
            if resolved.waiting and not made_now:
                unserved = unserved or resolved.waiting
            elif made_now:
                rebuilt = rebuilt or f"{resolved.label or param.alias} will be rebuilt"
        # a release that is missing comes first: making it also writes what an input may wait for
        waiting = unserved or waiting
        if waiting:
            self._say(spec, Decision.WAIT, waiting)
            return
        reason = rebuilt or stale_reason(spec, self._state, self._branch, inputs, resources)
        if reason is None and spec.reference in self._always:
            reason = "always stale, as the workspace says"
        if self._force:
            reason = "forced"
        if reason is None:
            self._say(spec, Decision.SKIP, up_to_date(spec), inputs)
        elif (obstacle := self._elsewhere.get(spec.reference) or _misnamed(spec)) is not None:
            self._say(spec, Decision.WAIT, obstacle)
        else:
            upstream = frozenset(
                r for r in self._graph.upstream[spec.reference]
                if r in self.decided and self.decided[r].decision is Decision.RUN
            )  # fmt: skip
            mode = decide_mode(self._store, self._state, spec, self._branch, inputs, pending)
            self._say(spec, Decision.RUN, reason, inputs, upstream, mode)

    def _say(
        self,
        spec: JobSpec,
        decision: Decision,
        reason: str,
        inputs: Mapping[str, Head] | None = None,
        upstream: frozenset[str] = frozenset(),
        mode: IncrementalDecision | None = None,
    ) -> None:
        if (owner := self._owners.get(spec.reference, self._branch)) != self._branch:
            reason = f"{reason} (JobSpec of {owner})"
        always = spec.reference in self._always
        self.decided[spec.reference] = JobDecision(spec, decision, reason, dict(inputs or {}), upstream, mode, always)

    def _inputs(self, spec: JobSpec) -> tuple[dict[str, Head], str | None, dict[str, str]]:
        """Resolved heads, why the job must wait, and the parameters of inputs that are rebuilt first."""
        heads: dict[str, Head] = {}
        pending: dict[str, str] = {}
        waiting = None
        for param, path in spec.dataset_inputs():
            producer = self._decision_of(path, param.branch)
            if producer is not None and producer.decision is Decision.RUN:
                pending.setdefault(path, param.name)
                continue
            head = self._state.input(path, param.branch)
            if (
                producer is not None
                and producer.decision is Decision.WAIT
                and (head is None or head.transaction is None)
            ):
                root = producer.reason.rsplit(" waits: ", 1)[-1]
                waiting = waiting or f"input {path} waits: {root}"
            elif head is None or head.transaction is None:
                where = f" on {param.branch}" if param.branch else ""
                verb = "built" if path in self._graph.producers else "ingested"
                waiting = waiting or f"input {path} was never {verb}{where}"
            else:
                heads[param.key(path)] = head
        return heads, waiting, pending

    def _decision_of(self, path: str | None, pinned: str | None) -> JobDecision | None:
        if path is None or pinned is not None:
            return None
        reference = self._graph.producers.get(path)
        return None if reference is None else self.decided.get(reference)

    def _resources(self, spec: JobSpec) -> dict[str, ResolvedResource]:
        found = {}
        for param in (*spec.resources("input"), *spec.resources("output")):
            binder = self._binders.get(param.kind)
            if binder is not None:
                found[param.name] = binder.resolve(param, self._branch)
            elif not param.kind.startswith("custom") and param.kind not in VALUE_KINDS:
                # One job that needs Foundry's own services must not keep the rest of a repository from being built.
                unserved = UnboundKindError(spec.name, param.name, param.kind)
                found[param.name] = ResolvedResource(None, waiting=str(unserved).rstrip("."))
        return found


def _misnamed(spec: JobSpec) -> str | None:
    """Why an output can never be a dataset; one that was built before can."""
    for _, path in spec.dataset_outputs():
        if (problem := path_problem(path)) is not None:
            return f"{path!r} cannot be the path of a dataset: {problem}"
    return None
