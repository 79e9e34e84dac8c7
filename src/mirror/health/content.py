"""What is known about the rows of a dataset without reading them, and reading the rest where that is allowed.

In this order: metric states kept by earlier checks, the footers of files no state covers, and only with a session one
pruned scan that all checks of the dataset share. States learned from footers or a scan are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from functools import cached_property, reduce
from typing import TYPE_CHECKING, Any, cast

from mirror.checks import FAIL, PASS, CheckSubject, evaluate
from mirror.checks.columns import Columns, ref
from mirror.checks.compiler import Compiler
from mirror.checks.errors import NotComputable
from mirror.checks.growth import Growth
from mirror.checks.jobs import as_one_job
from mirror.checks.metrics.base import ScanMetric
from mirror.checks.metrics.violations import Violations
from mirror.checks.patterns import java_pattern_fault
from mirror.checks.scan import scan_states
from mirror.checks.sensitivity import hides
from mirror.checks.state_tables import CatalogStates
from mirror.checks.states import Increments
from mirror.checks.stored import stored_subject
from mirror.checks.verdicts import Impossible
from mirror.datasets import View, Workspace
from mirror.health.errors import NotSettledError, SubjectMissingError
from mirror.health.verdicts import verdict_on
from transforms.expectations.tree import Expectation

if TYPE_CHECKING:
    from pyspark.sql import Column, SparkSession

Session = Callable[[], "SparkSession"]


def violations(expectation: Expectation, *columns: str) -> Violations:
    """The rows that break a row expectation, as a name under which a state may be kept; see :meth:`Content.values`."""
    # a Spark column takes a running JVM; it is compiled when rows are read, and no earlier
    return Violations(expectation, cast("Column", None), columns)


class Content:
    """The rows of one view."""

    def __init__(self, workspace: Workspace, view: View, now: datetime, session: Session | None) -> None:
        self._workspace = workspace
        self._view = view
        self._now = now
        self._session = session
        self._wanted: dict[str, ScanMetric] = {}
        self._known: dict[str, Any] = {}
        self._errors: dict[str, NotComputable] = {}

    @cached_property
    def subject(self) -> CheckSubject:
        """The view as the checks room sees it; its frame needs a session."""
        return self._subject(cast("SparkSession", None))

    @property
    def columns(self) -> Columns:
        """Names resolve as in Spark. Looking one up raises NoSchemaError or ColumnMissingError."""
        return Columns(self.subject.name, self.subject.schema)

    def hides(self, column: str) -> bool:
        """Whether no report may show values of that column."""
        return hides(self.subject.sensitive, column)

    def want(self, metrics: Iterable[ScanMetric]) -> None:
        """Says beforehand what will be asked for, so that it is learned together."""
        self._wanted |= {metric.key: metric for metric in metrics}

    def values(self, *metrics: ScanMetric) -> list[Any]:
        """The metrics' values. Raises NotSettledError, or the NotComputable that stands in a metric's place."""
        states = self.states(*metrics)
        return [metric.value(state) for metric, state in zip(metrics, states, strict=True)]

    def states(self, *metrics: ScanMetric) -> list[Any]:
        """The metrics' states; raises as :meth:`values`."""
        self.want(metrics)
        open_ones = [m for key, m in self._wanted.items() if key not in self._known and key not in self._errors]
        if open_ones:
            self._learn(open_ones)
            self._wanted.clear()
        for metric in metrics:
            if metric.key in self._errors:
                raise self._errors[metric.key]
            if metric.key not in self._known:
                raise NotSettledError(metric.key)
        return [self._known[metric.key] for metric in metrics]

    def median(self, column: str) -> float | None:
        """The exact median of a numeric column, nulls left out; one job. Raises NotSettledError."""
        from pyspark.sql import functions as F

        if self._session is None:
            raise NotSettledError(f"median({column})")
        frame = self._read().frame()
        found = as_one_job(frame.agg(F.median(ref(self.columns[column].name)))).collect()[0][0]
        return None if found is None else float(found)

    def verdict(self, expectation: Expectation, reads: str) -> tuple[bool, str]:
        """Whether an expectation holds, from the build that judged this very transaction, else by reading.

        Raises NotSettledError, SubjectMissingError.
        """
        recorded = verdict_on(self._workspace, self._view.end_rid or "", repr(expectation))
        if recorded is not None:
            return recorded
        if self._session is None:
            raise NotSettledError(reads)
        from transforms.api import Check

        states = CatalogStates(self._workspace.catalog)
        (result,) = evaluate(
            [Check(expectation, reads)], self._read(), spark=self._session(), now=self._now, states=states
        )
        if result.outcome not in (PASS, FAIL):
            raise SubjectMissingError(result.detail)
        return result.outcome == PASS, result.detail

    def _read(self) -> CheckSubject:
        assert self._session is not None  # noqa: S101 - callers ask first
        return self._subject(self._session())

    def _subject(self, spark: SparkSession) -> CheckSubject:
        sensitive = self._workspace.config.sensitive.get(self._view.dataset.path, frozenset())
        return stored_subject(spark, self._view, sensitive=sensitive)

    def _learn(self, metrics: Sequence[ScanMetric]) -> None:
        if self._session is not None:
            self._learn_by_reading(self._compiled(metrics))
        elif self.subject.files and self.subject.schema is not None:
            growth = Growth(self.subject, CatalogStates(self._workspace.catalog), self._now)
            self._learn_from_footers(growth.cover(list(metrics)), growth)

    def _learn_by_reading(self, metrics: Sequence[ScanMetric]) -> None:
        subject = self._read()
        stable = [metric for metric in metrics if metric.stable] if subject.files else []
        if stable:
            growth = Growth(subject, CatalogStates(self._workspace.catalog), self._now)
            self._known |= growth.states(growth.cover(stable))
        self._known |= scan_states(subject.frame(), rest) if (rest := [m for m in metrics if m not in stable]) else {}

    def _learn_from_footers(self, grown: Increments, growth: Growth) -> None:
        found = {metric: list(states) for metric, states in grown.kept.items()}
        for part in grown.parts:
            for metric in part.metrics:
                if metric in part.settled:
                    found[metric].append(part.settled[metric])
                else:
                    found[metric].clear()
            if part.settled:
                growth.keep(part, part.settled)
        self._known |= {metric.key: reduce(metric.merge, states) for metric, states in found.items() if states}

    def _compiled(self, metrics: Sequence[ScanMetric]) -> list[ScanMetric]:
        """The metrics with what Spark needs to compute them; one that cannot be compiled does not spoil the others."""
        assert self._session is not None  # noqa: S101 - callers ask first
        session = self._session
        compiler = Compiler(self.subject, self._now, lambda pattern: java_pattern_fault(session(), pattern))
        found: list[ScanMetric] = []
        for metric in metrics:
            if not isinstance(metric, Violations):
                found.append(metric)
                continue
            verdict = compiler.compile(metric.expectation)
            if isinstance(verdict, Impossible):
                self._errors[metric.key] = verdict.error
            else:
                found += [replace(m) for m in verdict.metrics if isinstance(m, Violations)]
        return found
