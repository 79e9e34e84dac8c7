"""How many files the newest transaction brought."""

from __future__ import annotations

from typing import Annotated, ClassVar

from mirror.health.case import HealthCase
from mirror.health.declaration import Bounded, DatasetCheck, OneOrMore
from mirror.health.finding import Finding
from mirror.health.judging import Judgement
from mirror.health.thresholds import CountBounds


class TransactionFileCount(DatasetCheck, Bounded):
    """Log files do not count."""

    kind: ClassVar[str] = "transactionFileCount"
    api: ClassVar[bool] = False

    bounds: Annotated[tuple[CountBounds, ...], OneOrMore] = ()

    def evaluate(self, case: HealthCase) -> Finding:
        subject = case.subject
        count = len(subject.files_of(subject.newest))
        judgement = Judgement("files of the newest transaction", self.reason)
        judgement.bounds(self.bounds, count, count)
        past = subject.before_newest(self.median_deviation)
        earlier = [float(len(subject.files_of(one))) for one in past]
        judgement.deviation(self.median_deviation, earlier, count, count)
        return judgement.finding(count, event=subject.newest.rid)
