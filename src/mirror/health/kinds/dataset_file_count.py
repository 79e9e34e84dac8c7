"""How many files the present view holds."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import model_validator

from mirror.health.case import HealthCase
from mirror.health.declaration import DatasetCheck, Deviating, OneOrMore, some_part
from mirror.health.finding import Finding
from mirror.health.judging import Judgement
from mirror.health.thresholds import CountBounds


class DatasetFileCount(DatasetCheck, Deviating):
    """Files that readers of tables skip (log files, names that begin with _ or .) do not count."""

    kind: ClassVar[str] = "datasetFileCount"
    api: ClassVar[bool] = False

    bounds: Annotated[tuple[CountBounds, ...], OneOrMore] = ()

    @model_validator(mode="after")
    def _limited(self) -> DatasetFileCount:
        some_part(self, "bounds", "median_deviation")
        return self

    def evaluate(self, case: HealthCase) -> Finding:
        subject = case.subject
        count = sum(not file.hidden for file in subject.view.files)
        judgement = Judgement("files in the view", self.reason)
        judgement.bounds(self.bounds, count, count)
        if self.median_deviation is not None:
            past = [one for one, _, _ in subject.committed[:-1]][-self.median_deviation.data_points :]
            earlier = [float(sum(not file.hidden for file in subject.view_at(one).files)) for one in past]
            judgement.deviation(self.median_deviation, earlier, count, count)
        return judgement.finding(count, event=subject.newest.rid)
