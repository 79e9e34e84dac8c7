"""Runs a plan: independent jobs at the same time, failures stop only what depends on them."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Any

from mirror.builds import journal
from mirror.builds.discovery import RepositoryPipeline
from mirror.builds.job import BuildContext, run_job
from mirror.builds.plan import BuildPlan, Decision, JobDecision, plan
from mirror.builds.published import pipeline_of
from mirror.builds.report import BuildReport, JobResult, JobStatus, OutputEntry
from mirror.builds.resources import ResourceBinder
from mirror.builds.scope import Scope
from mirror.builds.session import SharedSession
from mirror.builds.staleness import stale_reason
from mirror.builds.state import Head, read_state
from mirror.builds.watching import BuildWatcher, Unwatched
from mirror.datasets import Workspace

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

SLEEP = time.sleep
"""How a job waits before it is tried again; the one place where a build waits on the clock."""


def build(
    workspace: Workspace,
    targets: Sequence[str] | Scope = (),
    branch: str | None = None,
    *,
    fallbacks: Sequence[str] = (),
    force: bool = False,
    published: bool = False,
    skip_broken: bool = False,
    binders: Sequence[ResourceBinder] = (),
    spark: Callable[[], SparkSession] | None = None,
    jobs: int = 1,
    retries: int = 0,
    abort_on_failure: bool = False,
    parameters: Mapping[str, Any] | None = None,
    watcher: BuildWatcher | None = None,
) -> BuildReport:
    """Publishes, plans and runs under the branch's build lock.

    With ``published`` nothing is published: the JobSpecs are those of the branch, else of its fallbacks. With
    ``skip_broken`` modules that cannot be imported are left out.

    Raises what :func:`mirror.builds.published.pipeline_of` and :func:`mirror.builds.plan.plan` raise, and
    WorkspaceLockedError. A job that fails does not raise: see the report.
    """
    branch = branch or workspace.config.default_branch
    with workspace.lock(branch):
        workspace.store.abort_abandoned()
        pipeline = pipeline_of(workspace, branch, fallbacks, published=published, skip_broken=skip_broken)
        decided = plan(workspace, pipeline, targets, branch, fallbacks=fallbacks, force=force, binders=binders)
        return run(
            workspace,
            pipeline,
            decided,
            binders=binders,
            spark=spark,
            jobs=jobs,
            retries=retries,
            abort_on_failure=abort_on_failure,
            parameters=parameters,
            watcher=watcher,
        )


def run(
    workspace: Workspace,
    pipeline: RepositoryPipeline,
    decided: BuildPlan,
    *,
    binders: Sequence[ResourceBinder] = (),
    spark: Callable[[], SparkSession] | None = None,
    jobs: int = 1,
    retries: int = 0,
    abort_on_failure: bool = False,
    parameters: Mapping[str, Any] | None = None,
    watcher: BuildWatcher | None = None,
) -> BuildReport:
    """Executes a plan; the caller holds the branch's build lock.

    Args:
        spark: gives the session when the first job needs it; by default one is started on this machine.
        jobs: how many jobs may run at the same time.
        retries: how often a job is tried again, with growing pauses, after a failure that may pass by itself.
        abort_on_failure: cancel everything else as soon as one job fails or is refused.
        parameters: ``ctx.parameters``, and overrides of typed parameters.
        watcher: told what happens while it happens.
    """
    watcher = watcher or Unwatched()
    if not decided.to_run:
        watcher.planned(decided, None)
        return BuildReport(None, decided.branch, [_untouched(job, decided.branch) for job in decided.jobs])
    rid = journal.start_build(workspace, decided.branch, decided.fallbacks)
    context = BuildContext(
        workspace=workspace,
        pipeline=pipeline,
        branch=decided.branch,
        fallbacks=decided.fallbacks,
        build_rid=rid,
        spark=SharedSession(spark or (lambda: _session(pipeline)), tag=rid),
        binders={kind: binder for binder in binders for kind in binder.kinds},
        parameters=dict(parameters or {}),
        retries=retries,
        alone=jobs <= 1,
        sleep=SLEEP,
    )
    watcher.planned(decided, rid)
    results = _Scheduler(context, decided, max(1, jobs), watcher, abort_on_failure).run()
    report = BuildReport(rid, decided.branch, results)
    journal.finish_build(workspace, rid, report.status)
    return report


class _Scheduler:
    def __init__(
        self, context: BuildContext, decided: BuildPlan, jobs: int, watcher: BuildWatcher, abort_on_failure: bool
    ) -> None:
        self._context = context
        self._plan = decided
        self._jobs = jobs
        self._watcher = watcher
        self._abort_on_failure = abort_on_failure
        self._results: dict[str, JobResult] = {}
        self._waiting = {job.spec.reference: job for job in decided.to_run}
        self._cancelled = False

    def run(self) -> list[JobResult]:
        for job in self._plan.jobs:
            if job.decision is not Decision.RUN:
                self._end(job, _untouched(job, self._plan.branch))
        # The repository is imported here, once, not by whichever job comes first.
        _ = self._context.pipeline.transforms
        running: dict[Future[JobResult], JobDecision] = {}
        with ThreadPoolExecutor(self._jobs, thread_name_prefix="mirror-job") as pool:
            try:
                while self._waiting or running:
                    for job in self._ready(len(running)):
                        self._watcher.started(job, journal.job_rid(self._context.build_rid, job.spec.reference))
                        running[pool.submit(run_job, self._context, job)] = job
                    if not running:
                        continue
                    done, _ = wait(running, return_when=FIRST_COMPLETED)
                    for future in done:
                        result = future.result()
                        self._end(running.pop(future), result)
                        if self._abort_on_failure and result.status.is_bad and not self._cancelled:
                            _stop_spark_jobs(self._context.build_rid)
                            self._cancel(f"{result.spec.name} {result.status.value}")
            except KeyboardInterrupt:
                _stop_spark_jobs()
                self._cancel("cancelled before it started")
                for future, job in running.items():
                    self._end(job, future.result())
                journal.finish_build(self._context.workspace, self._context.build_rid, "cancelled")
        return [self._results[job.spec.reference] for job in self._plan.jobs]

    def _ready(self, running: int) -> list[JobDecision]:
        """Jobs that may start now; those that never will are closed on the way."""
        found: list[JobDecision] = []
        for reference, job in list(self._waiting.items()):
            before = [self._results.get(need) for need in job.upstream]
            if any(result is None for result in before):
                continue
            ended = [result for result in before if result is not None]
            if (closed := self._closed(job, ended)) is not None:
                del self._waiting[reference]
                self._end(job, closed)
            elif running + len(found) < self._jobs:
                del self._waiting[reference]
                found.append(job)
        return found

    def _closed(self, job: JobDecision, upstream: Sequence[JobResult]) -> JobResult | None:
        """The end of a job that does not run after all, or ``None``."""
        bad = [result for result in upstream if result.status.is_bad]
        unforgiven = [result for result in bad if not self._continues(job, result)]
        if unforgiven:
            first = unforgiven[0]
            told = f"upstream {first.spec.name} {first.status.value}"
            reason = first.reason if first.status is JobStatus.NOT_RUN else told
            return _untouched(job, self._plan.branch, JobStatus.NOT_RUN, reason)
        if upstream and not self._plan.forced and any(r.status is not JobStatus.SUCCEEDED for r in upstream):
            return self._still_fresh(job)
        return None

    def _continues(self, job: JobDecision, failed: JobResult) -> bool:
        """Whether every input made by the failed job says ``failure_strategy='continue'`` and has an older version."""
        state = read_state(self._context.workspace, self._plan.branch, self._plan.fallbacks)
        read = [(p, a) for p in job.spec.inputs for a in p.aliases if a in failed.spec.output_paths]
        return all(
            p.settings.get("failure_strategy") == "continue" and state.heads.get(a, Head("", None)).transaction
            for p, a in read
        )

    def _still_fresh(self, job: JobDecision) -> JobResult | None:
        """Planned to run because something upstream ran, which then committed nothing: is there still a reason?"""
        if job.always:
            return None
        state = read_state(self._context.workspace, self._plan.branch, self._plan.fallbacks)
        heads: dict[str, Head] = {}
        for param, path in job.spec.dataset_inputs():
            head = state.input(path, param.branch)
            if head is None or head.transaction is None:
                return _untouched(job, self._plan.branch, JobStatus.WAITING, f"input {path} holds nothing yet")
            heads[param.key(path)] = head
        binders = self._context.binders
        params = [*job.spec.resources("input"), *job.spec.resources("output")]
        resources = {p.name: binders[p.kind].resolve(p, self._plan.branch) for p in params if p.kind in binders}
        if stale_reason(job.spec, state, self._plan.branch, heads, resources) is None:
            return _untouched(job, self._plan.branch, JobStatus.SKIPPED, "up to date: nothing upstream was committed")
        return None

    def _cancel(self, reason: str) -> None:
        self._cancelled = True
        for thread in list(self._context.threads.values()):
            # Reaches Python code; a call into C ends first. A second Ctrl-C ends the process, the next build cleans up.
            ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(KeyboardInterrupt))
        for job in self._waiting.values():
            self._end(job, _untouched(job, self._plan.branch, JobStatus.CANCELLED, reason))
        self._waiting.clear()

    def _end(self, job: JobDecision, result: JobResult) -> None:
        if self._cancelled and result.status is JobStatus.FAILED:
            result = _untouched(job, self._plan.branch, JobStatus.CANCELLED, "cancelled")
        if job.decision is Decision.RUN and result.status in (JobStatus.NOT_RUN, JobStatus.CANCELLED):
            context = self._context
            journal.note_unstarted(
                context.workspace, context.build_rid, job.spec, context.branch, result.status, result.reason
            )
        self._results[job.spec.reference] = result
        self._watcher.ended(job, result)


def _untouched(job: JobDecision, branch: str, status: JobStatus | None = None, reason: str | None = None) -> JobResult:
    default = JobStatus.SKIPPED if job.decision is Decision.SKIP else JobStatus.WAITING
    outputs = tuple(OutputEntry(path) for path in job.spec.output_paths)
    return JobResult(job.spec, branch, status or default, reason or job.reason, outputs=outputs)


def _session(pipeline: RepositoryPipeline) -> SparkSession:
    from mirror.spark import start_session

    return start_session(python_path=[pipeline.source_root])


def _stop_spark_jobs(build_rid: str | None = None) -> None:
    """Those of one build, whose session others may share; without one all of the process, when a person ends it."""
    import sys

    if "pyspark" in sys.modules:
        from pyspark import SparkContext

        active = SparkContext._active_spark_context
        if active is not None and build_rid is not None:
            active.cancelJobsWithTag(build_rid)
        elif active is not None:
            active.cancelAllJobs()
