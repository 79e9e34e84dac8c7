"""A workspace with a catalog, and versions published into it the way a job does."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from threshold_adapter import Threshold

from mirror.builds.resources import RunningJob
from mirror.builds.specs import JobSpec, ParamSpec
from mirror.datasets import TransactionType, Workspace
from mirror.datasets.output_port import DatasetWritePort
from mirror.models import ModelBinder

FOREST = "/Fleet/air_handler/models/isolation_forest"

OBJECTIVES = """\
objectives:
  isolation_forest:
    model: /Fleet/*/models/isolation_forest
    owner: ML Platform
    keep_versions: 2
    environments:
      production: {branches: [master, release], approvers: [Ada, Grace]}
    checks:
      - {name: loads, kind: loads, blocks: [staging, production], reason: it must run}
      - {name: rate, kind: metric_range, metric: rate, min: 0.01, max: 0.1, blocks: [production], reason: alert volume}
"""


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(unsynced: Callable[[], AbstractContextManager[None]]) -> Iterator[None]:
    with unsynced():
        yield


@pytest.fixture
def workspace(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Workspace]:
    """An empty workspace; ``indirect`` takes another storage root."""
    repository = tmp_path / "repository"
    (repository / "ci").mkdir(parents=True)
    (repository / "ci" / "objectives.yml").write_text(OBJECTIVES)
    ticks = itertools.count()
    start = datetime(2026, 1, 5, tzinfo=UTC)
    root = getattr(request, "param", None)
    with Workspace.create(
        tmp_path / "ws",
        repository=repository,
        storage=None if root is None else {"root": root},
        clock=lambda: start + timedelta(minutes=next(ticks)),
    ) as opened:
        yield opened


def training_job(workspace: Workspace, path: str = FOREST, branch: str = "master") -> RunningJob:
    """A job that writes the model at ``path``."""
    output = ParamSpec("model", "model_output", "output", (path,))
    spec = JobSpec("training:train", "train", "training.py:1", "spark", "logic-1", (output,))
    return RunningJob(
        f"job-{path}-{branch}", "build-1", spec, branch, (), workspace.clock(), {"ri.data": "ri.tx.7"}, {}
    )


Publish = Callable[..., str]


@pytest.fixture
def publish(workspace: Workspace) -> Publish:
    """Publishes one version and commits (or, with ``fail=True``, aborts) its job; returns the version's RID."""

    def run(
        limit: float,
        *,
        path: str = FOREST,
        branch: str = "master",
        fail: bool = False,
        inputs: Any = None,
        parameters: Any = None,
        **facts: Any,
    ) -> str:
        from palantir_models.transforms import ModelOutput

        binder, job, declared = ModelBinder(workspace), training_job(workspace, path, branch), ModelOutput(path)
        job = replace(job, inputs=inputs or job.inputs)
        resolved = binder.resolve(job.spec.params[0], branch)
        output = declared._bind(binder.bind(declared, resolved, job))
        experiment = output.create_experiment("run") if parameters else None
        if experiment is not None:
            experiment.log_params(parameters)
        adapter = Threshold(limit, {"seed": 42, "rate": 0.05, **facts})
        rid = output.publish(adapter, experiment=experiment, change_type="MINOR")
        if fail:
            binder.abort(job)
        else:
            with workspace.catalog.writing() as connection:
                made = binder.commit(connection, job)
            assert made == {"model": rid}
        return rid

    return run


def store(workspace: Workspace, rows: pd.DataFrame, folder: Path, name: str = "device_features") -> None:
    """The rows as two Parquet files of one transaction."""
    dataset = workspace.store.create(f"/Fleet/air_handler/{name}", exist_ok=True)
    opened = workspace.store.open_transaction(dataset, "master", TransactionType.SNAPSHOT)
    folder.mkdir()
    for part in range(2):
        table = pa.Table.from_pandas(rows.iloc[part::2], preserve_index=False)
        pq.write_table(table, folder / f"{part}.parquet", coerce_timestamps="us")
    DatasetWritePort(opened).write_files(str(folder))
    opened.commit()
