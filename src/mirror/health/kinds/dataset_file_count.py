"""How many files the present view holds."""

from __future__ import annotations

from typing import Annotated, ClassVar

from mirror.health.case import HealthCase
from mirror.health.declaration import Bounded, DatasetCheck, OneOrMore
from mirror.health.finding import Finding
from mirror.health.judging import Judgement
from mirror.health.thresholds import CountBounds


class DatasetFileCount(DatasetCheck, Bounded):
    """Files that readers of tables skip (log files, names that begin with _ or .) do not count."""

    kind: ClassVar[str] = "datasetFileCount"
    api: ClassVar[bool] = False

    bounds: Annotated[tuple[CountBounds, ...], OneOrMore] = ()

    def evaluate(self, case: HealthCase) -> Finding:
        subject = case.subject
        count = sum(not file.hidden for file in subject.view.files)
        judgement = Judgement("files in the view", self.reason)
        judgement.bounds(self.bounds, count, count)
        past = subject.before_newest(self.median_deviation)
        earlier = [float(sum(not file.hidden for file in subject.view_at(one).files)) for one in past]
        judgement.deviation(self.median_deviation, earlier, count, count)
        return judgement.finding(count, event=subject.newest.rid)
