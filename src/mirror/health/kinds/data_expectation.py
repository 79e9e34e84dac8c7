"""What the builds said about one data expectation: its newest recorded verdict."""

from __future__ import annotations

from typing import ClassVar

from mirror.errors import nearest
from mirror.health.case import HealthCase
from mirror.health.declaration import DatasetCheck, Graded
from mirror.health.errors import NotApplicableError, SubjectMissingError
from mirror.health.finding import Finding, Status
from mirror.health.thresholds import Text


class DataExpectation(DatasetCheck, Graded):
    """PASS, ERROR, and FAIL under ``on_error='FAIL'`` keep their names; FAIL under ``'WARN'`` is a WARNING."""

    kind: ClassVar[str] = "dataExpectation"
    api: ClassVar[bool] = False

    expectation: Text

    def evaluate(self, case: HealthCase) -> Finding:
        verdicts = case.verdicts(self.dataset)
        named = [entry for entry in verdicts if entry["name"] == self.expectation]
        if not verdicts:
            raise NotApplicableError(f"no check of {self.dataset} was judged on {case.subject.branch} yet")
        if not named:
            known = {entry["name"] for entry in verdicts}
            raise SubjectMissingError(
                f"no build judged a check {self.expectation!r} of {self.dataset}.{nearest(self.expectation, known)}"
            )
        newest = named[0]
        status = {"PASS": Status.PASSED, "ERROR": Status.ERROR}.get(newest["outcome"], Status.FAILED)
        if status is Status.FAILED and newest["on_error"] == "WARN":
            status = Status.WARNING
        why = f" ({self.reason})" if self.reason and status is not Status.PASSED else ""
        return Finding(status, f"{self.expectation}: {newest['result'].get('detail', '')}{why}", event=newest["job"])
