"""One job: pin inputs, open outputs, decide how to run, check, compute, check, commit. Atomic: all of it or nothing."""

from __future__ import annotations

import itertools
import logging
import threading
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlalchemy.engine import Connection

from mirror.builds import journal
from mirror.builds.checking import Port, blocking, evaluate_checks, keep_footers
from mirror.builds.discovery import RepositoryPipeline
from mirror.builds.errors import (
    BatchInputError,
    ChecksFailedError,
    InconsistentProvenanceError,
    InputHistoryError,
    JobFailedError,
    NotIncrementalError,
)
from mirror.builds.failures import told
from mirror.builds.incremental import FIRST_BUILD, IncrementalDecision, Refusal, Verdict
from mirror.builds.inputs import JobInput, decide_mode, open_input, previous_run, ranges
from mirror.builds.logged import warnings_of
from mirror.builds.plan import JobDecision
from mirror.builds.report import CheckEntry, JobResult, JobStatus, OutputEntry
from mirror.builds.resources import ResolvedResource, ResourceBinder, RunningJob
from mirror.builds.session import job_session
from mirror.builds.specs import SECRET_KINDS, VALUE_KINDS, JobSpec
from mirror.builds.state import Head, OutputRecord, RunRecord, read_state
from mirror.builds.transient import backoff, is_transient
from mirror.datasets import Dataset, OpenTransaction, TransactionType, Workspace
from mirror.datasets.output_port import DatasetWritePort
from mirror.errors import MirrorError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


# Foundry's driver log carries this line under this name; people search for it.
_foundry_log = logging.getLogger("transforms.api._incremental")

# How Spark tells that a file of a view is not what was committed.
_DAMAGE = ("is not a Parquet file", "Could not read footer", "FileNotFoundException", "PATH_NOT_FOUND")


@dataclass(frozen=True)
class BuildContext:
    """What every job of a build shares.

    Attributes:
        spark: gives the session, started on first use.
        alone: no other job runs at the same time.
        parameters: ``ctx.parameters``, and overrides of typed parameters by name.
        retries: how often a job is tried again after a failure that may pass by itself.
        threads: reference -> thread of each running job, for cancelling.
    """

    workspace: Workspace
    pipeline: RepositoryPipeline
    branch: str
    fallbacks: tuple[str, ...]
    build_rid: str
    spark: Callable[[], SparkSession]
    binders: Mapping[str, ResourceBinder]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    retries: int = 0
    alone: bool = True
    sleep: Callable[[float], None] = time.sleep
    threads: dict[str, int] = field(default_factory=dict)


@dataclass
class _Running:
    """What a job holds while it runs."""

    rid: str
    spec: JobSpec
    transform: Any
    inputs: dict[tuple[str, str], JobInput] = field(default_factory=dict)
    outputs: dict[str, OpenTransaction] = field(default_factory=dict)
    ports: dict[str, list[Port]] = field(default_factory=dict)
    resources: dict[str, ResolvedResource] = field(default_factory=dict)
    mode: IncrementalDecision | None = None
    checks: list[CheckEntry] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    logged: Sequence[str] = ()
    seen: RunningJob | None = None


def run_job(context: BuildContext, decision: JobDecision) -> JobResult:
    """Runs one job to its end and never raises: what went wrong is in the result."""
    started = time.monotonic()
    workspace, spec = context.workspace, decision.spec
    now = workspace.clock()
    rid = journal.start_job(workspace, context.build_rid, spec, context.branch, decision.reason, now)
    running = _Running(rid, spec, None)
    status = JobStatus.FAILED
    error: str | None = None
    details: str | None = None
    outputs: tuple[OutputEntry, ...] = ()
    published: dict[str, str] = {}
    context.threads[spec.reference] = threading.get_ident()
    try:
        running.transform = context.pipeline.transforms[spec.reference]
        status, outputs, published = _with_retries(context, decision, running)
    except ChecksFailedError as refused:
        status, error = JobStatus.ABORTED, str(refused)
    except KeyboardInterrupt:
        status, error = JobStatus.CANCELLED, "cancelled"
    except (Exception, SystemExit) as failure:  # noqa: BLE001 - a transform may raise anything; it is reported, not hidden
        error, details = _told(context, spec, failure), traceback.format_exc()
    finally:
        context.threads.pop(spec.reference, None)
    if error is not None or status is JobStatus.NOTHING_COMMITTED:
        _give_up(context, running, status, error)
    return JobResult(
        spec=spec,
        branch=context.branch,
        status=status,
        reason=decision.reason,
        mode="" if running.mode is None else str(running.mode),
        outputs=outputs or tuple(OutputEntry(path) for path in spec.output_paths),
        checks=tuple(running.checks),
        warnings=tuple(running.warnings),
        published=published,
        seconds=time.monotonic() - started,
        error=error,
        traceback=details,
    )


def _with_retries(
    context: BuildContext, decision: JobDecision, running: _Running
) -> tuple[JobStatus, tuple[OutputEntry, ...], dict[str, str]]:
    for attempt in itertools.count(2):
        try:
            # Also what undoes the attempt before may fail for a while, such as on a busy catalog.
            _undo(context, running)
            fresh = _Running(running.rid, running.spec, running.transform, warnings=running.warnings)
            vars(running).update(vars(fresh))
            return _execute(context, decision, running)
        except Exception as failure:
            if attempt > context.retries + 1 or not is_transient(failure):
                raise
            running.warnings.append(f"attempt {attempt - 1} failed and was repeated: {failure}")
            context.sleep(backoff(attempt))
    raise AssertionError  # the loop ends by returning or raising


def _undo(context: BuildContext, running: _Running) -> None:
    """Aborts everything the job opened."""
    for opened in running.outputs.values():
        opened.abort()
    if running.seen is not None:
        for binder in _distinct(context.binders):
            binder.abort(running.seen)


def _execute(
    context: BuildContext, decision: JobDecision, running: _Running
) -> tuple[JobStatus, tuple[OutputEntry, ...], dict[str, str]]:
    from transforms.api import JobEnvironment, execute

    workspace, spec, transform = context.workspace, running.spec, running.transform
    _open(context, decision, running)
    mode = running.mode
    assert mode is not None  # noqa: S101 - _open sets it
    now = workspace.clock()
    running.checks += evaluate_checks("input", transform.inputs, running.ports, context.spark, now, workspace)
    if refused := blocking(running.checks):
        raise ChecksFailedError(spec.name, refused)
    with ExitStack() as held:
        session = None
        if spec.engine == "spark":
            session = held.enter_context(job_session(context.spark(), group=running.rid, alone=context.alone))
        environment = JobEnvironment(
            spark=session,
            own_session=True,
            is_incremental=mode.incremental,
            parameters=context.parameters,
            fallback_branches=context.fallbacks,
            branch=context.branch,
            job_rid=running.rid,
        )
        bindings = _bindings(context, running)
        running.logged = held.enter_context(warnings_of(context.pipeline.source_root))
        outcome = execute(transform, environment, bindings)
    if outcome.aborted:
        return JobStatus.NOTHING_COMMITTED, (), {}
    post = evaluate_checks("output", transform.outputs, running.ports, context.spark, now, workspace)
    running.checks += post
    if refused := blocking(post):
        raise ChecksFailedError(spec.name, refused)
    keep_footers([port for ports in running.ports.values() for port in ports], workspace.catalog)
    return (JobStatus.SUCCEEDED, *_commit(context, running))


def _open(context: BuildContext, decision: JobDecision, running: _Running) -> None:
    """Pins inputs, decides how to run, opens the outputs' transactions (in the order of their RIDs: no deadlock)."""
    store, spec, settings = context.workspace.store, running.spec, running.spec.incremental
    state = read_state(context.workspace, context.branch, context.fallbacks)
    made = {path: store.create(path, exist_ok=True) for _, path in spec.dataset_outputs()}
    heads: dict[str, Head] = {}
    for param, path in spec.dataset_inputs():
        head = decision.inputs.get(param.key(path)) or state.input(path, param.branch)
        if head is None or head.transaction is None:
            raise JobFailedError(spec.name, spec.output_paths, None, "NoInput", f"input {path} holds nothing")
        heads[param.key(path)] = head
    running.mode = decide_mode(store, state, spec, context.branch, heads)
    _tell(decision, running)
    previous = previous_run(state, spec, context.branch)
    incremental = running.mode.incremental
    for param, path in spec.dataset_inputs():
        opened = open_input(store, spec, param, path, heads[param.key(path)], previous)
        running.inputs[param.name, path] = opened.limited(store, incremental)
    kind_of = TransactionType.SNAPSHOT
    if incremental:
        kind_of = TransactionType.APPEND if (settings or {}).get("strict_append") else TransactionType.UPDATE
    for path, dataset in sorted(made.items(), key=lambda item: item[1].rid):
        running.outputs[path] = store.open_transaction(dataset, context.branch, kind_of, fallbacks=context.fallbacks)
    _make_ports(context, running, incremental)


def _tell(decision: JobDecision, running: _Running) -> None:
    """Says where it must be said how a job runs. Raises NotIncrementalError."""
    mode, spec = running.mode, running.spec
    assert mode is not None  # noqa: S101 - decided just now
    planned = decision.mode
    if planned is not None and planned.verdict is not Verdict.UNDECIDED and planned != mode:
        running.warnings.append(f"the catalog changed since the plan, which said: {planned}")
    if mode.verdict is Verdict.SNAPSHOT and spec.incremental is not None and mode.reason != FIRST_BUILD:
        _foundry_log.warning("Not running incrementally: %s: %s", spec.name, mode.reason)
    if mode.refusal is None:
        return
    if mode.refusal in (Refusal.NOT_IN_VIEW, Refusal.BEHIND):
        raise InputHistoryError(spec.name, mode.reason, mode.refusal.value)
    kinds = {Refusal.INCONSISTENT: InconsistentProvenanceError, Refusal.NO_BATCHES: BatchInputError}
    raise kinds.get(mode.refusal, NotIncrementalError)(spec.name, mode.reason)


def _make_ports(context: BuildContext, running: _Running, incremental: bool) -> None:
    store = context.workspace.store
    for param in running.spec.params:
        if not param.is_dataset:
            continue
        if param.direction == "input":
            entries = [running.inputs[param.name, path] for path in param.aliases]
            running.ports[param.name] = [entry.port(store, incremental) for entry in entries]
        else:
            opened = [running.outputs[path] for path in param.aliases]
            running.ports[param.name] = [DatasetWritePort(one, incremental=incremental) for one in opened]


def _bindings(context: BuildContext, running: _Running) -> dict[str, Any]:
    from transforms.external.systems import configured

    bindings: dict[str, Any] = {}
    running.seen = RunningJob(
        rid=running.rid,
        build_rid=context.build_rid,
        spec=running.spec,
        branch=context.branch,
        fallbacks=context.fallbacks,
        now=context.workspace.clock(),
        inputs={e.view.dataset.rid: str(e.view.end_rid) for e in running.inputs.values()},
        outputs={
            param.name: running.outputs[path].rid for param, path in running.spec.dataset_outputs()
        },
    )  # fmt: skip
    for param in running.spec.params:
        if param.is_dataset:
            ports = running.ports[param.name]
            bindings[param.name] = ports if param.kind.endswith("_set") else ports[0]
        elif param.kind in VALUE_KINDS:
            if param.name in context.parameters:
                bindings[param.name] = context.parameters[param.name]
            elif param.kind in SECRET_KINDS:
                live = running.transform.parameters[param.name]
                bindings[param.name] = configured(live, context.workspace.config.sources_file)
        elif (binder := context.binders.get(param.kind)) is not None:
            resolved = binder.resolve(param, context.branch)
            running.resources[param.name] = resolved
            if resolved.waiting:
                what = (running.spec.name, running.spec.output_paths, None, "NotReady", resolved.waiting)
                raise JobFailedError(*what)
            live = running.transform.parameters[param.name]
            bindings[param.name] = binder.bind(live, resolved, running.seen)
    return bindings


def _commit(context: BuildContext, running: _Running) -> tuple[tuple[OutputEntry, ...], dict[str, str]]:
    store, spec, mode = context.workspace.store, running.spec, running.mode
    kept: dict[str, OpenTransaction] = {}
    records: dict[str, OutputRecord] = {}
    for param in spec.outputs:
        for path, port in zip(
            param.aliases if param.is_dataset else (), running.ports.get(param.name, ()), strict=True
        ):
            opened = running.outputs[path]
            before = opened.base.end_rid
            assert isinstance(port, DatasetWritePort)  # noqa: S101 - outputs have write ports
            if port.aborted:
                opened.abort()
                records[path] = OutputRecord(param.name, None, before)
                continue
            if not port.written:
                running.warnings.append(f"{path}: nothing was written; the transaction is empty")
            kept[path] = opened
            records[path] = OutputRecord(param.name, opened.rid, before)
    published: dict[str, str] = {}

    def within(connection: Connection) -> None:
        assert running.seen is not None and mode is not None  # noqa: S101, PT018 - set before computing
        for binder in _distinct(context.binders):
            published.update(binder.commit(connection, running.seen))
        record = RunRecord(
            job=running.rid,
            reference=spec.reference,
            logic_version=spec.logic_version,
            semantic_version=spec.semantic_version,
            incremental=mode.incremental,
            inputs=ranges(list(running.inputs.values())),
            outputs=records,
            resources={
                p.name: running.resources[p.name].version
                for p in spec.resources("input")
                if p.name in running.resources
            },
            published=published,
            v2_semantics=bool((spec.incremental or {}).get("v2_semantics")),
        )
        now = context.workspace.clock()
        journal.keep_run(connection, record, now)
        judged = {path: one.rid for path, one in kept.items()} | _ends(running)
        journal.keep_checks(connection, running.rid, context.branch, running.checks, _datasets(running), judged, now)

    store.commit(list(kept.values()), within)
    datasets = [_output(context, path, records[path], kept.get(path)) for path in running.outputs]
    resources = [p for p in spec.resources("output") if p.alias]
    others = [OutputEntry.of_resource(spec, p, published.get(p.name), running.logged) for p in resources]
    running.warnings += [f"no version of {one.dataset} was made: {one.missing}" for one in others if one.missing]
    return (*datasets, *others), published


def _output(context: BuildContext, path: str, record: OutputRecord, opened: OpenTransaction | None) -> OutputEntry:
    if opened is None:
        return OutputEntry(path)
    view = context.workspace.store.view_until(opened.dataset, context.branch, record.transaction)
    mine = [f.rows for f in view.files if f.transaction_rid == opened.rid and not f.hidden]
    written = None if view.schema is None or None in mine else sum(n for n in mine if n is not None)
    return OutputEntry(path, record.transaction, opened.type.value, view.rows, written)


def _give_up(context: BuildContext, running: _Running, status: JobStatus, error: str | None) -> None:
    """Aborts everything the job opened, and writes its end and its verdicts down."""
    _undo(context, running)
    now = context.workspace.clock()
    judged = _ends(running)
    with context.workspace.catalog.writing() as connection:
        journal.finish_job(connection, running.rid, status, now, error=error)
        checks = running.checks
        journal.keep_checks(connection, running.rid, context.branch, checks, _datasets(running), judged, now)


def _ends(running: _Running) -> dict[str, str | None]:
    return {entry.path: entry.view.end_rid for entry in running.inputs.values()}


def _datasets(running: _Running) -> dict[str, Dataset]:
    read = {entry.path: entry.view.dataset for entry in running.inputs.values()}
    return read | {path: opened.dataset for path, opened in running.outputs.items()}


def _distinct(binders: Mapping[str, ResourceBinder]) -> Sequence[ResourceBinder]:
    return list({id(binder): binder for binder in binders.values()}.values())


def _told(context: BuildContext, spec: JobSpec, failure: BaseException) -> str:
    if isinstance(failure, MirrorError):
        return str(failure)
    place, kind, text = told(failure, context.pipeline.source_root)
    if any(sign in str(failure) for sign in _DAMAGE):
        text = f"{text.splitlines()[0][:300]} (`mirror verify` names damaged files and what to rebuild)"
    return str(JobFailedError(spec.name, spec.output_paths, place, kind, text))
