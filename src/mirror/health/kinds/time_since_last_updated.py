"""How long ago the dataset was last updated.

Two moments matter (source: the Foundry page on check evaluation): an update, and the threshold elapsing without one.
No timer runs here, so a threshold that elapsed unseen is reported by the next evaluation, dated to when it elapsed:
with one hour and updates 62 minutes apart there is a failure at minute 60 and a pass at minute 62, whoever looked when.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Annotated, ClassVar

from mirror.datasets import Transaction
from mirror.health.case import HealthCase, Subject
from mirror.health.declaration import Bounded, DatasetCheck, OneOrMore
from mirror.health.errors import NotApplicableError
from mirror.health.finding import Finding, Status
from mirror.health.judging import Judgement
from mirror.health.spans import span
from mirror.health.thresholds import TimeBounds


class TimeSinceLastUpdated(DatasetCheck, Bounded):
    """Upper ends hold the time since the newest update, lower ends the time between the newest two."""

    kind: ClassVar[str] = "timeSinceLastUpdated"

    bounds: Annotated[tuple[TimeBounds, ...], OneOrMore] = ()
    ignore_empty_transactions: bool = True

    def evaluate(self, case: HealthCase) -> Finding:
        newest, times = self._updates(case.subject)
        gaps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
        elapsed, gap = (case.now - times[-1]).total_seconds(), gaps[-1] if gaps else None
        judgement = Judgement("time since last updated", self.reason, span)
        judgement.bounds(self.bounds, gap, elapsed)
        judgement.deviation(self.median_deviation, gaps, None, elapsed)
        judgement.deviation(self.median_deviation, gaps[:-1], gap, None)
        return judgement.finding(elapsed, event=newest.rid, measured={"seconds": elapsed, "gap": gap})

    def missed(self, case: HealthCase) -> Sequence[Finding]:
        since = case.earlier[0].created_at if case.earlier else None
        if since is None:
            return ()
        _, times = self._updates(case.subject)
        found = []
        for earlier, later in pairwise(times):
            if later <= since:
                continue
            for one in self.bounds:
                due = None if one.high is None else earlier + timedelta(seconds=one.high)
                if due is not None and one.high is not None and since < due < later:
                    why = one.reason or self.reason
                    text = (
                        f"time since last updated: {span(one.high)} elapsed without an update ({one.severity}: {why})"
                    )
                    found.append(Finding(Status.FAILED, text, one.severity, event=f"due {due.isoformat()}", at=due))
        return sorted(found, key=lambda finding: finding.at or case.now)

    def _updates(self, subject: Subject) -> tuple[Transaction, list[datetime]]:
        counted = [
            (one, one.closed_at)
            for one, rows, files in subject.committed
            if one.closed_at is not None and not (self.ignore_empty_transactions and (files == 0 or rows == 0))
        ]
        if not counted:
            raise NotApplicableError(f"every transaction of {self.dataset} on {subject.branch} is empty")
        return counted[-1][0], [moment for _, moment in counted]
