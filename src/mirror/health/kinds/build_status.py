"""The last build that ended with this dataset succeeded."""

from __future__ import annotations

from typing import ClassVar

from mirror.health.case import HealthCase
from mirror.health.declaration import DatasetCheck, StatusCheck
from mirror.health.finding import Finding
from mirror.health.outcomes import last_outcome


class BuildStatus(DatasetCheck, StatusCheck):
    """Builds in which another job reads the dataset do not count: there it is no terminal output."""

    kind: ClassVar[str] = "buildStatus"

    def evaluate(self, case: HealthCase) -> Finding:
        return last_outcome(case.runs.builds(self.dataset), self.reason, "build")
