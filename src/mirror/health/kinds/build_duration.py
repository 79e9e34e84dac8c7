"""How long the last build that ended with this dataset took."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import model_validator

from mirror.health.case import HealthCase
from mirror.health.declaration import DatasetCheck, Deviating, OneOrMore, some_part
from mirror.health.finding import Finding
from mirror.health.outcomes import last_duration
from mirror.health.thresholds import TimeBounds


class BuildDuration(DatasetCheck, Deviating):
    """Whether it succeeded is another check's business."""

    kind: ClassVar[str] = "buildDuration"

    bounds: Annotated[tuple[TimeBounds, ...], OneOrMore] = ()

    @model_validator(mode="after")
    def _limited(self) -> BuildDuration:
        some_part(self, "bounds", "median_deviation")
        return self

    def evaluate(self, case: HealthCase) -> Finding:
        return last_duration(case.runs.builds(self.dataset), self, self.bounds, "build", case.now)
