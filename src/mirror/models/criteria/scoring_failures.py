"""Runs that score the candidate do not fail. One number that is none fails its whole run, so runs are counted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Self

import sqlalchemy as sa

from mirror.builds import JobStatus, published_specs
from mirror.builds.tables import jobs
from mirror.models.criteria.base import Candidate, Criterion, Finding, only
from mirror.models.records import CANARY_LIVE, Outcome
from mirror.models.scoring import Sample, verdict

if TYPE_CHECKING:
    from mirror.located import Located

_GOOD = (JobStatus.SUCCEEDED, JobStatus.NOTHING_COMMITTED)
_BAD = (JobStatus.FAILED, JobStatus.ABORTED)


@dataclass(frozen=True)
class ScoringFailures(Criterion):
    """``max``: largest share of failed runs since the trial was decided.

    Attributes:
        shadow: dataset of what a candidate says beside the champion; ``{fleet}`` as in
            :class:`~mirror.models.scoring.Sample`.
        live: dataset that a live canary writes as well; a candidate that fails there keeps the champion's scores back.
    """

    kind = "scoring_failures"
    shadow: str
    live: str
    max: float

    @classmethod
    def read(cls, item: Located, settings: Mapping[str, Located]) -> Self:
        names = ("shadow", "live", "max")
        only(item, settings, names, required=names)
        return cls(settings["shadow"].text("shadow"), settings["live"].text("live"), settings["max"].number("max"))

    def judge(self, candidate: Candidate) -> Finding:
        trial = candidate.trial
        if trial is None:
            return Finding(Outcome.PASS, "it is not on trial")
        written = {Sample(self.shadow).path(candidate)}
        if trial.role == CANARY_LIVE:
            written.add(Sample(self.live).path(candidate))
        ended = self._ended(candidate, written, trial.at)
        failed = sum(ended.get(status.value, 0) for status in _BAD)
        runs = failed + sum(ended.get(status.value, 0) for status in _GOOD)
        if not runs:
            return Finding(Outcome.PASS, "no run has scored it yet")
        told = f"{failed} of {runs} runs that score it failed, at most {self.max:.0%}"
        return verdict(failed / runs, self.max, told)

    def _ended(self, candidate: Candidate, written: set[str], since: datetime) -> dict[str, int]:
        """How many jobs that write one of the datasets ended how, since an instant."""
        workspace = candidate.registry.workspace
        branch = workspace.config.default_branch
        makers = [one.reference for one in published_specs(workspace, branch) if written & set(one.output_paths)]
        query = sa.select(jobs.c.status, sa.func.count()).group_by(jobs.c.status)
        query = query.where(jobs.c.branch == branch, jobs.c.reference.in_(makers), jobs.c.started_at >= since)
        with workspace.catalog.reading() as connection:
            return {str(status): int(count) for status, count in connection.execute(query)}
