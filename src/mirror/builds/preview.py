"""Preview: runs one transform on a sample of its inputs and shows what it would write; nothing is stored."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mirror.builds.discovery import RepositoryPipeline
from mirror.builds.errors import UnknownTransformError
from mirror.builds.resources import ResourceBinder, RunningJob
from mirror.builds.specs import SECRET_KINDS, JobSpec
from mirror.datasets import Storage, TransactionType, View, Workspace
from mirror.datasets.errors import BranchNotFoundError, NoViewError
from mirror.datasets.output_port import DatasetWritePort
from mirror.datasets.ports import DatasetReadPort, whole_input

if TYPE_CHECKING:
    from pyspark.sql import DataFrame, SparkSession


@dataclass(frozen=True)
class PreviewOutput:
    """What one output would hold: up to the asked number of rows, and all column types."""

    parameter: str
    dataset: str
    columns: Mapping[str, str]
    rows: Sequence[Mapping[str, Any]]


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
) -> tuple[PreviewOutput, ...]:
    """Runs a transform (by name, reference or output) on the first ``sample`` rows of each input; never incrementally.

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
        by_kind = {kind: binder for binder in binders for kind in binder.kinds}
        job = RunningJob("preview", "preview", spec, branch, tuple(fallbacks), workspace.clock(), {}, {})
        for param in spec.params:
            if param.is_dataset and param.direction == "input":
                ports = [
                    _sampled(_view(workspace, path, param.branch or branch, fallbacks), workspace.store.storage, sample)
                    for path in param.aliases
                ]
                bindings[param.name] = ports if param.kind.endswith("_set") else ports[0]
            elif param.is_dataset:
                made = [_output(scratch, path, branch) for path in param.aliases]
                outputs += [(param.name, port) for port in made]
                bindings[param.name] = made if param.kind.endswith("_set") else made[0]
            elif (binder := by_kind.get(param.kind)) is not None:
                live = transform.parameters[param.name]
                bindings[param.name] = binder.bind(live, binder.resolve(param, branch), job)
            elif param.kind in SECRET_KINDS:
                bindings[param.name] = configured(transform.parameters[param.name], workspace.config.sources_file)
        session = spark()
        environment = JobEnvironment(spark=session, branch=branch, fallback_branches=tuple(fallbacks))
        execute(transform, environment, bindings)
        found = tuple(_shown(session, parameter, port, rows) for parameter, port in outputs)
        for binder in {id(b): b for b in binders}.values():
            binder.abort(job)
        return found
    finally:
        scratch.close()
        shutil.rmtree(folder, ignore_errors=True)


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
