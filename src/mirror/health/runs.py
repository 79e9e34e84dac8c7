"""Jobs and builds, as the builds room wrote them down. Nothing is read but its journal.

A job that never started, because something upstream failed, is not in the journal: it leaves the status of its dataset
as it was, as in Foundry, where a schedule's status catches it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import sqlalchemy as sa

from mirror.builds import JobSpec, JobStatus, published_specs
from mirror.builds import tables as t
from mirror.datasets import Workspace

_GOOD = frozenset({JobStatus.SUCCEEDED.value, JobStatus.NOTHING_COMMITTED.value})
_NEWEST = 2000
"""Jobs, and builds, of one branch that are looked at."""


@dataclass(frozen=True)
class Run:
    """A job or a build. ``good`` is whether it succeeded, ``status`` the journal's word for how it ended.

    ``finished_at`` is ``None`` while it runs, or when its process died and no later build has noticed yet.
    """

    rid: str
    status: str
    good: bool
    started_at: datetime
    finished_at: datetime | None
    error: str | None = None

    def seconds(self, now: datetime) -> float:
        """Wall time, until now while it runs."""
        return ((self.finished_at or now) - self.started_at).total_seconds()


@dataclass(frozen=True)
class _Job:
    reference: str
    build: str
    run: Run


class Runs:
    """The journal of one branch."""

    def __init__(self, workspace: Workspace, branch: str) -> None:
        self._workspace = workspace
        self._branch = branch

    @cached_property
    def specs(self) -> tuple[JobSpec, ...]:
        """The branch's published JobSpecs, else those of the workspace's default branch."""
        own = published_specs(self._workspace, self._branch)
        return own or published_specs(self._workspace, self._workspace.config.default_branch)

    @cached_property
    def declared(self) -> frozenset[str]:
        """Every dataset that a JobSpec reads or writes."""
        return frozenset(path for spec in self.specs for _, path in (*spec.dataset_inputs(), *spec.dataset_outputs()))

    def jobs(self, dataset: str) -> tuple[Run, ...]:
        """The jobs that make a dataset and ran, oldest first; one that something upstream kept from running did not."""
        makers = self._makers((dataset,))
        ran = (job for job in self._jobs if job.run.status != JobStatus.NOT_RUN)
        return tuple(job.run for job in ran if job.reference in makers)

    def builds(self, dataset: str) -> tuple[Run, ...]:
        """The builds in which a dataset was made and no other job read it, oldest first."""
        makers = self._makers((dataset,))
        readers = {spec.reference for spec in self.specs if dataset in _aliases(spec)}
        return self._builds_where(lambda references: bool(references & makers) and not references & readers)

    def scheduled(self, targets: Sequence[str]) -> tuple[Run, ...]:
        """The builds in which the targets or anything they need was made, oldest first.

        One is good when every such job in it is, so that a failure elsewhere in the same build does not count.
        """
        needed = self._closure(targets)
        return self._builds_where(lambda references: bool(references & needed), needed)

    def needed(self, targets: Sequence[str]) -> frozenset[str]:
        """The targets and every dataset that is made on the way to them."""
        references = self._closure(targets)
        made = {path for spec in self.specs if spec.reference in references for path in spec.output_paths}
        return frozenset(made | set(targets))

    def _makers(self, paths: Collection[str]) -> frozenset[str]:
        return frozenset(spec.reference for spec in self.specs if not set(paths).isdisjoint(spec.output_paths))

    def _closure(self, targets: Sequence[str]) -> frozenset[str]:
        found: dict[str, JobSpec] = {}
        wanted = set(targets)
        while wanted:
            new = [s for s in self.specs if s.reference not in found and not wanted.isdisjoint(s.output_paths)]
            found |= {spec.reference: spec for spec in new}
            wanted = {alias for spec in new for alias in _aliases(spec)}
        return frozenset(found)

    def _builds_where(
        self, chosen: Callable[[frozenset[str]], bool], needed: frozenset[str] | None = None
    ) -> tuple[Run, ...]:
        by_build: dict[str, list[_Job]] = {}
        for job in self._jobs:
            by_build.setdefault(job.build, []).append(job)
        found = []
        for build in self._builds:
            jobs = by_build.get(build.rid, [])
            if not chosen(frozenset(job.reference for job in jobs)):
                continue
            bad = [job for job in jobs if not job.run.good and (needed is None or job.reference in needed)]
            stopped = build.status in ("interrupted", "cancelled")
            good = not bad and not stopped and (needed is not None or build.good)
            error = next((job.run.error for job in bad if job.run.error), None)
            status = build.status if needed is None or stopped else "succeeded" if good else bad[-1].run.status
            found.append(Run(build.rid, status, good, build.started_at, build.finished_at, error))
        return tuple(found)

    @cached_property
    def _jobs(self) -> tuple[_Job, ...]:
        self._workspace.catalog.ensure(*t.ROOM)
        jobs, builds = t.jobs, t.builds
        columns = (jobs.c.reference, jobs.c.build_rid, jobs.c.rid, jobs.c.status, jobs.c.error)
        query = (
            sa.select(*columns, jobs.c.started_at, jobs.c.finished_at)
            .join(builds, builds.c.rid == jobs.c.build_rid)
            .where((jobs.c.branch == self._branch) & jobs.c.started_at.is_not(None))
            .order_by(builds.c.sequence.desc(), jobs.c.started_at.desc())
            .limit(_NEWEST)
        )
        with self._workspace.catalog.reading() as connection:
            rows = connection.execute(query).all()
        return tuple(
            _Job(reference, build, Run(rid, status, status in _GOOD, started, finished, error))
            for reference, build, rid, status, error, started, finished in reversed(rows)
        )

    @cached_property
    def _builds(self) -> tuple[Run, ...]:
        builds = t.builds
        columns = (builds.c.rid, builds.c.status, builds.c.started_at, builds.c.finished_at)
        query = sa.select(*columns).where(builds.c.branch == self._branch)
        with self._workspace.catalog.reading() as connection:
            rows = connection.execute(query.order_by(builds.c.sequence.desc()).limit(_NEWEST)).all()
        return tuple(
            Run(rid, status, status == "succeeded", started, finished)
            for rid, status, started, finished in reversed(rows)
        )


def _aliases(spec: JobSpec) -> set[str]:
    return {alias for param in spec.inputs for alias in param.aliases}
