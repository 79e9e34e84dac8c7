"""What the builds said about one data expectation: its newest recorded verdict."""

from __future__ import annotations

from typing import ClassVar

from mirror.checks import ERROR, PASS
from mirror.errors import nearest
from mirror.health.case import HealthCase
from mirror.health.declaration import DatasetCheck, Graded
from mirror.health.errors import NotApplicableError, SubjectMissingError
from mirror.health.finding import Finding, Status
from mirror.health.thresholds import Text
from mirror.health.verdicts import judged_names, newest_verdict


class DataExpectation(DatasetCheck, Graded):
    """PASS, ERROR, and FAIL under ``on_error='FAIL'`` keep their names; FAIL under ``'WARN'`` is a WARNING."""

    kind: ClassVar[str] = "dataExpectation"
    api: ClassVar[bool] = False

    expectation: Text

    def evaluate(self, case: HealthCase) -> Finding:
        subject = case.subject
        newest = newest_verdict(subject.workspace, subject.dataset, subject.branch, self.expectation)
        if newest is None:
            known = judged_names(subject.workspace, subject.dataset, subject.branch)
            if not known:
                raise NotApplicableError(f"no check of {self.dataset} was judged on {subject.branch} yet")
            raise SubjectMissingError(
                f"no build judged a check {self.expectation!r} of {self.dataset}.{nearest(self.expectation, known)}"
            )
        status = {PASS: Status.PASSED, ERROR: Status.ERROR}.get(newest.outcome, Status.FAILED)
        if status is Status.FAILED and newest.on_error == "WARN":
            status = Status.WARNING
        why = f" ({self.reason})" if self.reason and status is not Status.PASSED else ""
        return Finding(status, f"{self.expectation}: {newest.detail}{why}", event=newest.job)
