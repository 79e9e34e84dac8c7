"""How long the last build of what a schedule builds took."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import model_validator

from mirror.health.case import HealthCase
from mirror.health.declaration import Deviating, OneOrMore, ScheduleCheck, some_part
from mirror.health.finding import Finding
from mirror.health.outcomes import last_duration
from mirror.health.thresholds import TimeBounds


class ScheduleDuration(ScheduleCheck, Deviating):
    """Whether it succeeded is another check's business."""

    kind: ClassVar[str] = "scheduleDuration"

    bounds: Annotated[tuple[TimeBounds, ...], OneOrMore] = ()

    @model_validator(mode="after")
    def _limited(self) -> ScheduleDuration:
        some_part(self, "bounds", "median_deviation")
        return self

    def evaluate(self, case: HealthCase) -> Finding:
        return last_duration(
            case.runs.scheduled(self.schedule.targets), self, self.bounds, "build of the schedule", case.now
        )
