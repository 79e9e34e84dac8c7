"""What a check may look at: its subject as the catalog knows it, its own earlier reports, and rows where allowed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from mirror.datasets import Dataset, Transaction, TransactionStatus, View, Workspace
from mirror.datasets.records import StoredFile
from mirror.errors import nearest
from mirror.health.content import Content, Session
from mirror.health.errors import NotApplicableError, SubjectMissingError
from mirror.health.finding import Status
from mirror.health.reports import CheckReport
from mirror.health.runs import Runs
from mirror.health.thresholds import MedianDeviation


class Subject:
    """One dataset on one branch; everything is looked up once and only when asked for."""

    def __init__(self, workspace: Workspace, path: str, branch: str, runs: Runs, session: Session | None) -> None:
        self.workspace = workspace
        self.path = path
        self.branch = branch
        self.runs = runs
        self._session = session

    @cached_property
    def dataset(self) -> Dataset:
        """Raises SubjectMissingError for a dataset nobody knows, NotApplicableError for one that holds nothing yet."""
        store = self.workspace.store
        found = store.find(self.path)
        if found is not None:
            if store.resolve_branch(found, self.branch) is None:
                raise NotApplicableError(f"{self.path} has no branch {self.branch!r} yet")
            return found
        if self.path in self.runs.declared:
            raise NotApplicableError(f"nothing was ever committed to {self.path}")
        known = {dataset.path for dataset in store.datasets()} | self.runs.declared
        raise SubjectMissingError(
            f"there is no dataset {self.path!r} and no transform reads or writes it.{nearest(self.path, known)}"
        )

    @cached_property
    def committed(self) -> tuple[tuple[Transaction, int | None, int], ...]:
        """The committed transactions with the rows (``None`` where unknown) and files each brought, oldest first.

        Raises NotApplicableError when there is none.
        """
        past = self.workspace.store.history_with_counts(self.dataset, self.branch)
        found = tuple(
            (one, counts["rows"], counts["files"] or 0)
            for one, counts in past
            if one.status is TransactionStatus.COMMITTED and one.closed_at is not None
        )
        if not found:
            raise NotApplicableError(f"nothing was committed to {self.path} on {self.branch} yet")
        return found

    @property
    def newest(self) -> Transaction:
        """The newest committed transaction."""
        return self.committed[-1][0]

    def before_newest(self, deviation: MedianDeviation | None) -> list[Transaction]:
        """The committed transactions that a median deviation holds the newest against; none without one."""
        earlier = [one for one, _, _ in self.committed[:-1]]
        return [] if deviation is None else earlier[-deviation.data_points :]

    @cached_property
    def view(self) -> View:
        """The present view."""
        return self.view_at(self.newest)

    @cached_property
    def content(self) -> Content:
        """The rows of the view, as far as they are known or may be read."""
        return Content(self.workspace, self.view, self.workspace.clock(), self._session)

    def view_at(self, transaction: Transaction) -> View:
        """The view that ends with a transaction."""
        return self.workspace.store.view_until(self.dataset, self.branch, transaction.rid)

    def files_of(self, transaction: Transaction) -> list[StoredFile]:
        """The files that a transaction brought and that the view still shows, log files left out."""
        return [f for f in self.view_at(transaction).files if f.transaction_rid == transaction.rid and not f.hidden]


@dataclass(frozen=True)
class HealthCase:
    """One evaluation.

    Attributes:
        subject: of a check about a dataset.
        runs: the branch's jobs and builds.
        earlier: the check's own reports on the same question (type, subject and column), newest first.
        others: further datasets by path, for checks that compare two.
    """

    now: datetime
    subject: Subject
    runs: Runs
    earlier: Sequence[CheckReport]
    others: dict[str, Subject]

    @property
    def content(self) -> Content:
        """The rows of the subject."""
        return self.subject.content

    def points(self, event: str) -> list[float]:
        """The values of earlier reports on other events, oldest first, one per event: the latest."""
        found: dict[str, float] = {}
        for report in self.earlier:
            if report.value is not None and report.event != event:
                found.setdefault(report.event, report.value)
        return list(found.values())[::-1]

    def previous(self, event: str) -> float | None:
        """The value of the previous run."""
        points = self.points(event)
        return points[-1] if points else None

    def last_passing(self, event: str) -> float | None:
        """The value of the newest passing report on another event: failed ones are no baseline."""
        for report in self.earlier:
            if report.status is Status.PASSED and report.event != event and report.value is not None:
                return report.value
        return None
