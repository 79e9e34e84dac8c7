"""How long the last build of what a schedule builds took."""

from __future__ import annotations

from typing import Annotated, ClassVar

from mirror.health.case import HealthCase
from mirror.health.declaration import Bounded, OneOrMore, ScheduleCheck
from mirror.health.finding import Finding
from mirror.health.outcomes import last_duration
from mirror.health.thresholds import TimeBounds


class ScheduleDuration(ScheduleCheck, Bounded):
    """Whether it succeeded is another check's business."""

    kind: ClassVar[str] = "scheduleDuration"

    bounds: Annotated[tuple[TimeBounds, ...], OneOrMore] = ()

    def evaluate(self, case: HealthCase) -> Finding:
        return last_duration(case.runs.scheduled(self.schedule.targets), self, "build of the schedule", case.now)
