"""Small transforms repositories written as real modules, each in a workspace of its own."""

from __future__ import annotations

import itertools
import textwrap
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import SparkSession

from mirror.builds import BuildReport, JobResult, build
from mirror.datasets import TransactionType, Workspace
from mirror.datasets.output_port import DatasetWritePort
from transforms.ports import WriteOptions

_numbers = itertools.count()

PIPELINE = """\
from transforms.api import Pipeline
from {package} import jobs
pipeline = Pipeline()
pipeline.discover_transforms(jobs)
"""

HEADER = """\
from transforms.api import Check, Input, InputSet, Output, OutputSet, configure, incremental, transform, transform_df
from transforms import expectations as E
"""


class Repository:
    """A guest with one package of jobs, and its workspace."""

    def __init__(self, root: Path, spark: SparkSession) -> None:
        self.root = root
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
        self.workspace = Workspace.create(root / ".mirror", repository=root, clock=self._clock)

    def _clock(self) -> datetime:
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=next(self._ticks))

    def write(self, module: str, code: str) -> None:
        """A module of jobs, ``HEADER`` first."""
        (self.folder / "jobs" / f"{module}.py").write_text(HEADER + textwrap.dedent(code))

    def put(self, path: str, data: dict[str, list[Any]], kind: str = "SNAPSHOT", branch: str = "master") -> str:
        """Commits rows to a dataset; returns the transaction."""
        store = self.workspace.store
        dataset = store.create(path, exist_ok=True)
        opened = store.open_transaction(dataset, branch, TransactionType(kind))
        DatasetWritePort(opened).write_dataframe(self.spark.createDataFrame(pd.DataFrame(data)), WriteOptions())
        return opened.commit().rid

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
        frame = store.read(self.spark, store.view(store.dataset(path), branch))
        return sorted(tuple(row) for row in frame.toPandas().itertuples(index=False))


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
