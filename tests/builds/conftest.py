"""Small transforms repositories written as real modules, each in a workspace of its own."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet
import pytest
from pyspark.sql import SparkSession

from mirror.builds import BuildReport, JobDecision, JobResult, build, plan, publish
from mirror.datasets import TransactionType, Workspace
from mirror.datasets.collect import collect
from mirror.datasets.output_port import DatasetWritePort
from mirror.datasets.ports import whole_input
from mirror.datasets.retention import retire
from mirror.datasets.rollback import force_snapshot
from transforms.api._arrow import read_arrow

_numbers = itertools.count()

PIPELINE = """\
from transforms.api import Pipeline
from {package} import jobs
pipeline = Pipeline()
pipeline.discover_transforms(jobs)
"""

ENGINE_FREE = """\
import pandas as pd
from pyspark.sql import types as T
from transforms.api import Input, InputSet, Output, OutputSet, incremental, lightweight, transform

SCHEMA = T.StructType([T.StructField("v", T.LongType())])

def job(**declared):
    made = transform(**declared)
    return (lambda function: lightweight(made(function))) if {light} else made

def read(dataset, *args, **options):
    return dataset.pandas(*args, **options) if {light} else dataset.dataframe(*args, **options).toPandas()

def names(files):
    return sorted(f.path for f in files.ls())
"""

HEADER = """\
from transforms.api import Check, Input, InputSet, Output, OutputSet, configure, incremental, transform, transform_df
from transforms import expectations as E
"""


class Repository:
    """A guest with one package of jobs, and its workspace."""

    def __init__(self, root: Path, spark: SparkSession | None, header: str = HEADER) -> None:
        self.root = root
        self._header = header
        self.spark = spark
        self.package = f"guest{next(_numbers)}"
        self.source = root / "transforms-python" / "src"
        self.folder = self.source / self.package
        (self.folder / "jobs").mkdir(parents=True)
        (self.folder / "__init__.py").write_text("")
        (self.folder / "jobs" / "__init__.py").write_text("")
        (self.folder / "pipeline.py").write_text(PIPELINE.format(package=self.package))
        entry = f"root = {self.package}.pipeline:pipeline"
        (self.source / "setup.py").write_text(
            f"from setuptools import setup\nsetup(name='g', entry_points={{'transforms.pipelines': ['{entry}']}})\n"
        )
        self._ticks = itertools.count()
        self._files: dict[str, int] = {}
        self.workspace = Workspace.create(root / ".mirror", repository=root, clock=self._clock)

    def _clock(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(self._ticks))

    def write(self, module: str, code: str) -> None:
        """A module of jobs, ``HEADER`` first."""
        (self.folder / "jobs" / f"{module}.py").write_text(self._header + textwrap.dedent(code))

    def put(
        self,
        path: str,
        data: dict[str, list[Any]],
        kind: str = "SNAPSHOT",
        branch: str = "master",
        file: str | None = None,
    ) -> str:
        """Commits rows to a dataset as one file, without Spark; returns the transaction."""
        store = self.workspace.store
        dataset = store.create(path, exist_ok=True)
        opened = store.open_transaction(dataset, branch, TransactionType(kind))
        written = self.root / "put" / (file or f"part-{opened.record.sequence}.parquet")
        written.parent.mkdir(exist_ok=True)
        pyarrow.parquet.write_table(pa.table(data), written)
        DatasetWritePort(opened).write_files(str(written.parent))
        written.unlink()
        return opened.commit().rid

    def event(self, folder: str, text: str) -> None:
        """Something that happens between two builds, to the datasets below ``folder``, in words:

        ``in APPEND 1 2`` (a file with these values), ``in UPDATE@0 5`` (the file of the first such event is rewritten),
        ``in DELETE@0``, ``in RETENTION@*`` (of all files), ``in RETIRE@2`` (`mirror retire` up to the third of them,
        then `mirror gc`), ``out START_OVER`` (`mirror rollback --snapshot`), ``in BACK@0`` (the branch ends with its
        first transaction), ``in FILE a.txt`` (a raw file). ``code one -> two`` changes the module.
        """
        name, what, *values = text.split(" ")
        if name == "code":
            file = self.folder / "jobs" / f"{folder}.py"
            old, new = text.removeprefix("code ").split(" -> ")
            assert old in file.read_text()
            file.write_text(file.read_text().replace(old, new))
            return
        path, (kind, _, at) = f"/{folder}/{name}", what.partition("@")
        store = self.workspace.store
        dataset = store.create(path, exist_ok=True)
        if kind in ("SNAPSHOT", "APPEND", "UPDATE"):
            pairs = [value.split("=") for value in values if "=" in value]
            columns = {c: [int(x)] for c, x in pairs} or {"v": [int(v) for v in values]}
            self._files[path] = self._files.get(path, -1) + 1
            self.put(path, columns, kind, file=f"part-{at or self._files[path]}.parquet")
        elif kind == "FILE":
            with store.transaction(dataset, "master", TransactionType.APPEND) as opened:
                file = self.root / values[0]
                file.write_text(values[0])
                opened.add(file, values[0])
        elif kind == "START_OVER":
            force_snapshot(store, dataset, "master")
        elif kind == "RETIRE":
            retire(store, dataset, "master", before=store.view(dataset).transactions[int(at)].rid)
            collect(store)
        elif kind in ("DELETE", "RETENTION"):
            with store.transaction(dataset, "master", TransactionType.DELETE) as opened:
                opened.retention = kind == "RETENTION"
                for held in [f.path for f in opened.base.files]:
                    if at in ("*", held.removeprefix("part-").removesuffix(".parquet")):
                        opened.remove(held)
        else:
            past = store.history(dataset)
            store.create_branch(dataset, "kept", parent="master")
            store.delete_branch(dataset, "master")
            store.create_branch(dataset, "master", parent="kept", at=past[int(at)].rid)

    def build(self, *targets: str, branch: str = "master", **options: Any) -> BuildReport:
        """Builds with the shared session."""
        return build(self.workspace, targets, branch, spark=lambda: self.spark, **options)

    @staticmethod
    def outcome(report: BuildReport) -> dict[str, tuple[str, str]]:
        """Transform -> (status, reason)."""
        return {job.spec.name: (job.status.value, job.reason) for job in report.jobs}

    @staticmethod
    def result(report: BuildReport, name: str) -> JobResult:
        """The result of one transform."""
        return next(job for job in report.jobs if job.spec.name == name)

    def rows(self, path: str, branch: str = "master") -> list[tuple[Any, ...]]:
        """The sorted rows of a dataset."""
        store = self.workspace.store
        port = whole_input(store.view(store.dataset(path), branch), store.storage)
        found = [tuple(row.values()) for row in read_arrow(port, "current").to_pylist()]
        return sorted(found, key=lambda row: tuple((value is None, value) for value in row))


@pytest.fixture
def single_node(tmp_path: Path) -> Iterator[Repository]:
    """A repository of single-node transforms: no Spark. ``write`` puts :data:`ENGINE_FREE` first."""
    made = Repository(tmp_path / "repo", None, ENGINE_FREE.format(light=True))
    yield made
    made.workspace.close()


@pytest.fixture
def repository(tmp_path: Path, spark: SparkSession) -> Iterator[Callable[[], Repository]]:
    """Makes repositories; their workspaces are closed afterwards."""
    made: list[Repository] = []

    def make() -> Repository:
        made.append(Repository(tmp_path / f"repo{len(made)}", spark))
        return made[-1]

    yield make
    for one in made:
        one.workspace.close()


@dataclass(frozen=True)
class Played:
    """One job in one build of a scenario: what the plan said of it, and what became of it."""

    planned: str
    mode: str
    status: str
    reason: str
    outputs: dict[str, str | None]
    rows: list[Any]
    error: str
    warnings: tuple[str, ...]


def _play(repository: Repository, scenarios: Mapping[str, Any], engine: str) -> dict[str, list[list[Played]]]:
    """Plays all scenarios side by side, one build per step: name -> step -> its jobs in order.

    A scenario is its code, in which ``$`` stands for its name, and for each step what happens before the build.
    """
    header = ENGINE_FREE.format(light=engine == "lightweight")
    for name, (code, *_) in scenarios.items():
        (repository.folder / "jobs" / f"{name}.py").write_text(header + textwrap.dedent(code).replace("$", name))
    played: dict[str, list[list[Played]]] = {name: [] for name in scenarios}
    for step in range(max(len(steps) for _, *steps in scenarios.values())):
        taking = {name: steps[step] for name, (_, *steps) in scenarios.items() if step < len(steps)}
        for name, (events, *_) in taking.items():
            for text in filter(None, events.split("; ")):
                repository.event(name, text)
        planned = {
            j.spec.reference: j for j in plan(repository.workspace, publish(repository.workspace, "master")).jobs
        }
        for job in repository.build().jobs:
            name = job.spec.reference.partition(":")[0].rpartition(".")[2]
            if name in taking:
                played[name] += [[]] * (step + 1 - len(played[name]))
                played[name][step] = [*played[name][step], _played(repository, planned[job.spec.reference], job)]
    return played


def _played(repository: Repository, planned: JobDecision, job: JobResult) -> Played:
    store, first = repository.workspace.store, job.spec.output_paths[0]
    found = store.find(first)
    held = found is not None and store.view(found).schema is not None
    rows = [row[0] if len(row) == 1 else row for row in repository.rows(first)] if held else []
    told = [planned.how, job.mode, job.error or ""]
    how, mode, error = (re.sub(r"(SNAPSHOT|APPEND|UPDATE|DELETE) [0-9a-f]{8}\b", r"\1 *", text) for text in told)
    outputs = {o.dataset.rpartition("/")[2]: o.type for o in job.outputs}
    status = job.status.value
    return Played(how, mode, status, job.reason, outputs, rows, error, tuple(job.warnings))


@pytest.fixture(scope="module")
def play(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Callable[..., Any]]:
    """:func:`_play` in a workspace of its own; Spark is only started for the Spark engine."""
    made: list[Repository] = []

    def go(scenarios: Mapping[str, Any], engine: str) -> dict[str, list[list[Played]]]:
        spark = request.getfixturevalue("spark") if engine == "spark" else None
        made.append(Repository(tmp_path_factory.mktemp("scenarios"), spark))
        return _play(made[-1], scenarios, engine)

    yield go
    for one in made:
        one.workspace.close()
