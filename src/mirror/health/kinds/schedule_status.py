"""The last build of what a schedule builds succeeded."""

from __future__ import annotations

from typing import ClassVar

from mirror.health.case import HealthCase
from mirror.health.declaration import ScheduleCheck, StatusCheck
from mirror.health.finding import Finding
from mirror.health.outcomes import last_outcome


class ScheduleStatus(ScheduleCheck, StatusCheck):
    """Fails when any job that the targets need failed, also one far upstream that kept theirs from starting."""

    kind: ClassVar[str] = "scheduleStatus"

    def evaluate(self, case: HealthCase) -> Finding:
        return last_outcome(case.runs.scheduled(self.schedule.targets), self.reason, "build of the schedule")
