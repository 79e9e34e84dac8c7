"""How long the last job on this dataset took."""

from __future__ import annotations

from typing import Annotated, ClassVar

from mirror.health.case import HealthCase
from mirror.health.declaration import Bounded, DatasetCheck, OneOrMore
from mirror.health.finding import Finding
from mirror.health.outcomes import last_duration
from mirror.health.thresholds import TimeBounds


class JobDuration(DatasetCheck, Bounded):
    """Whether it succeeded is another check's business."""

    kind: ClassVar[str] = "jobDuration"

    bounds: Annotated[tuple[TimeBounds, ...], OneOrMore] = ()

    def evaluate(self, case: HealthCase) -> Finding:
        return last_duration(case.runs.jobs(self.dataset), self, "job", case.now)
