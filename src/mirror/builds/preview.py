"""Preview: runs one transform on a sample of its inputs, shows what it would write and judges it; nothing is stored."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirror.builds.discovery import RepositoryPipeline
from mirror.builds.errors import UnknownTransformError
from mirror.builds.report import CheckEntry
from mirror.builds.resources import ResourceBinder, RunningJob
from mirror.builds.specs import SECRET_KINDS, JobSpec
from mirror.datasets import Storage, TransactionType, View, Workspace
from mirror.datasets.errors import BranchNotFoundError, NoViewError
from mirror.datasets.output_port import DatasetWritePort
from mirror.datasets.ports import DatasetReadPort, whole_input

if TYPE_CHECKING:
    from datetime import datetime

    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class PreviewOutput:
    """What one output would hold: up to the asked number of rows, and all column types."""

    parameter: str
    dataset: str
    columns: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Preview:
    """What a transform would write, and the verdicts of its checks on the sample and on what it made of it."""

    outputs: tuple[PreviewOutput, ...]
    checks: tuple[CheckEntry, ...]


@dataclass(frozen=True)
class _Sampled(DatasetReadPort):
    """An input cut to its first rows."""

    limit: int = 1000

    def dataframe(self, spark: SparkSession, mode: str = "current") -> DataFrame:
        """At most ``limit`` rows."""
        return super().dataframe(spark, mode).limit(self.limit)


def preview(
    workspace: Workspace,
    pipeline: RepositoryPipeline,
    name: str,
    *,
    branch: str,
    fallbacks: Sequence[str] = (),
    rows: int = 20,
    sample: int = 1000,
    spark: Callable[[], SparkSession],
    binders: Sequence[ResourceBinder] = (),
) -> Preview:
    """Runs a transform (by name, reference or output) on the first ``sample`` rows of each input; never incrementally.

    Checks are judged on those rows, so a count or a foreign key may come out otherwise in a build; none of them blocks.

    Raises UnknownTransformError, NoViewError, and whatever the transform raises.
    """
    from transforms.api import JobEnvironment, execute
    from transforms.external.systems import configured

    spec = _spec(pipeline, name)
    transform = pipeline.transforms[spec.reference]
    folder = Path(tempfile.mkdtemp(prefix="mirror-preview-"))
    # Outputs are staged in a workspace of their own, which vanishes afterwards.
    scratch = Workspace.create(folder, repository=workspace.config.repository, clock=workspace.clock)
    try:
        bindings: dict[str, Any] = {}
        outputs: list[tuple[str, DatasetWritePort]] = []
        ports: dict[str, Sequence[DatasetReadPort | DatasetWritePort]] = {}
        by_kind = {kind: binder for binder in binders for kind in binder.kinds}
        job = RunningJob("preview", "preview", spec, branch, tuple(fallbacks), workspace.clock(), {}, {})
        for param in spec.params:
            if param.is_dataset and param.direction == "input":
                read = [
                    _sampled(_view(workspace, path, param.branch or branch, fallbacks), workspace.store.storage, sample)
                    for path in param.aliases
                ]
                ports[param.name] = read
                bindings[param.name] = read if param.kind.endswith("_set") else read[0]
            elif param.is_dataset:
                made = [_output(scratch, path, branch) for path in param.aliases]
                outputs += [(param.name, port) for port in made]
                ports[param.name] = made
                bindings[param.name] = made if param.kind.endswith("_set") else made[0]
            elif (binder := by_kind.get(param.kind)) is not None:
                live = transform.parameters[param.name]
                bindings[param.name] = binder.bind(live, binder.resolve(param, branch), job)
            elif param.kind in SECRET_KINDS:
                bindings[param.name] = configured(transform.parameters[param.name], workspace.config.sources_file)
        session = spark()
        environment = JobEnvironment(spark=session, branch=branch, fallback_branches=tuple(fallbacks))
        execute(transform, environment, bindings)
        shown = tuple(_shown(session, parameter, port, rows) for parameter, port in outputs)
        found = Preview(shown, _judged(session, transform.parameters, ports, workspace.clock()))
        for binder in {id(b): b for b in binders}.values():
            binder.abort(job)
        return found
    finally:
        scratch.close()
        shutil.rmtree(folder, ignore_errors=True)


def _judged(
    spark: SparkSession,
    params: Mapping[str, Any],
    ports: Mapping[str, Sequence[DatasetReadPort | DatasetWritePort]],
    now: datetime,
) -> tuple[CheckEntry, ...]:
    checked = {name: params[name] for name in ports if getattr(params[name], "checks", ())}
    if not checked:
        return ()
    from mirror.checks import CheckSubject, evaluate

    def subject(port: DatasetReadPort | DatasetWritePort, references: Mapping[str, CheckSubject]) -> CheckSubject:
        selection = port.outcome() if isinstance(port, DatasetWritePort) else port.selections["current"]
        # nothing is known from the footers: they tell of whole files, the frame is a sample
        schema = None if selection.schema is None else port.dataframe(spark).schema
        return CheckSubject(port.path, schema, lambda: port.dataframe(spark), (), references)

    entries = []
    for name, param in checked.items():
        port = ports[name][0]
        others = {other: subject(found[0], {}) for other, found in ports.items() if other != name and found}
        for result in evaluate(param.checks, subject(port, others), spark=spark, now=now):
            facts = (result.name, result.on_error, result.outcome, result.to_json())
            entries.append(CheckEntry(name, port.path, param.direction, *facts))
    return tuple(entries)


def _spec(pipeline: RepositoryPipeline, name: str) -> JobSpec:
    found = [s for s in pipeline.specs if name in (s.name, s.reference, *s.output_paths)]
    found = found or [s for s in pipeline.specs if any(p.endswith("/" + name) for p in s.output_paths)]
    if len(found) != 1:
        known = [s.name for s in pipeline.specs] if not found else [p for s in found for p in s.output_paths]
        raise UnknownTransformError(name, tuple(sorted(known)))
    return found[0]


def _view(workspace: Workspace, path: str, branch: str, fallbacks: Sequence[str]) -> View:
    dataset = workspace.store.dataset(path)
    try:
        view = workspace.store.view(dataset, branch, fallbacks=fallbacks)
    except BranchNotFoundError as error:
        raise NoViewError(path, branch) from error
    if not view.transactions:
        raise NoViewError(path, branch)
    return view


def _sampled(view: View, storage: Storage, limit: int) -> DatasetReadPort:
    return _Sampled(**vars(whole_input(view, storage)), limit=limit)


def _output(scratch: Workspace, path: str, branch: str) -> DatasetWritePort:
    dataset = scratch.store.create(path)
    return DatasetWritePort(scratch.store.open_transaction(dataset, branch, TransactionType.SNAPSHOT))


def _shown(spark: SparkSession, parameter: str, port: DatasetWritePort, rows: int) -> PreviewOutput:
    selection = port.outcome()
    if selection.schema is None:
        files = [{"path": f.path, "bytes": f.size} for f in selection.files]
        return PreviewOutput(parameter, port.path, {"path": "string", "bytes": "long"}, files[:rows])
    frame = port.dataframe(spark)
    columns = {f.name: f.dataType.simpleString() for f in frame.schema.fields}
    return PreviewOutput(parameter, port.path, columns, [r.asDict() for r in frame.limit(rows).collect()])
