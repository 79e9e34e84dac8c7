"""The last job on this dataset, in any build, succeeded."""

from __future__ import annotations

from typing import ClassVar

from mirror.health.case import HealthCase
from mirror.health.declaration import DatasetCheck, StatusCheck
from mirror.health.finding import Finding
from mirror.health.outcomes import last_outcome


class JobStatusCheck(DatasetCheck, StatusCheck):
    """A job that never started, because something upstream failed, leaves the status as it was."""

    kind: ClassVar[str] = "jobStatus"

    def evaluate(self, case: HealthCase) -> Finding:
        return last_outcome(case.runs.jobs(self.dataset), self.reason, "job")
