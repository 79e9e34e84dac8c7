"""What a person who waits for a build can be told: how long its jobs took before, and how far a running one is."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

import sqlalchemy as sa

from mirror.builds import tables as t
from mirror.builds.plan import BuildPlan, JobDecision
from mirror.builds.report import JobResult, JobStatus
from mirror.datasets import Workspace


class BuildWatcher(Protocol):
    """Told what happens, from the thread that called ``run``."""

    def planned(self, decided: BuildPlan, rid: str | None) -> None:
        """Once, before anything runs; ``rid`` is ``None`` when nothing will."""

    def started(self, job: JobDecision, rid: str) -> None:
        """A job runs from now on; ``rid`` is also the group of its Spark jobs (see :func:`progress_of`)."""

    def ended(self, job: JobDecision, result: JobResult) -> None:
        """A job ran to its end, or will never start."""


class Unwatched:
    """Tells nobody."""

    def planned(self, decided: BuildPlan, rid: str | None) -> None:
        """Nothing."""

    def started(self, job: JobDecision, rid: str) -> None:
        """Nothing."""

    def ended(self, job: JobDecision, result: JobResult) -> None:
        """Nothing."""


def seconds_before(workspace: Workspace) -> Mapping[str, float]:
    """Reference of a transform -> how long its newest successful run took, on whichever branch."""
    workspace.catalog.ensure(*t.ROOM)
    columns = (t.jobs.c.reference, t.jobs.c.started_at, t.jobs.c.finished_at)
    query = sa.select(*columns).where(t.jobs.c.status == JobStatus.SUCCEEDED.value).order_by(t.jobs.c.finished_at)
    with workspace.catalog.reading() as connection:
        return {
            reference: (finished - started).total_seconds()
            for reference, started, finished in connection.execute(query)
            if started is not None and finished is not None
        }


@dataclass(frozen=True)
class SparkProgress:
    """How far the Spark jobs of one group are.

    Attributes:
        tasks, done: of the stages that run or ran.
        rows_read, rows_written: by finished tasks.
    """

    tasks: int = 0
    done: int = 0
    rows_read: int = 0
    rows_written: int = 0


def progress_of(group: str) -> SparkProgress:
    """What Spark's own bookkeeping says of a group of jobs; zeros where no Spark runs. Starts nothing."""
    context = None if "pyspark" not in sys.modules else sys.modules["pyspark"].SparkContext._active_spark_context
    if context is None or context._jsc is None:
        return SparkProgress()
    tracker = context.statusTracker()
    stages = {
        stage
        for job in tracker.getJobIdsForGroup(group)
        if (info := tracker.getJobInfo(job)) is not None
        for stage in info.stageIds
    }
    store = context._jsc.sc().statusStore()
    tasks = done = read = written = 0
    for stage in stages:
        if (info := tracker.getStageInfo(stage)) is None:
            continue
        tasks += info.numTasks
        done += info.numCompletedTasks
        data = store.lastStageAttempt(stage)
        read += data.inputRecords()
        written += data.outputRecords()
    return SparkProgress(tasks, done, read, written)
