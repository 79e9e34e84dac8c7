"""Compiled expectations: which metrics they need, how they judge them, and which rows show why they failed.

A verdict is PASS, FAIL or ERROR (not computable). Composites follow three-valued logic: ``any`` passes as soon as one
part passes, ``all`` fails as soon as one part fails, and otherwise an ERROR among the parts stays one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import types as T

from mirror.checks.encoding import plain
from mirror.checks.errors import NotComputable, OverflowedError
from mirror.checks.metrics.base import Metric
from mirror.checks.metrics.reference_rows import ReferenceRows
from mirror.checks.metrics.row_count import RowCount
from mirror.checks.metrics.total import OVERFLOWED
from mirror.checks.operands import SYMBOLS, TIMESTAMP, WALL_CLOCK, Bound, Value, family, from_micros, holds
from mirror.checks.result import ERROR, FAIL, PASS, Part
from mirror.checks.rules import MASK, VALUELESS_PASSES
from mirror.checks.samples import Sample

Values = Mapping[str, object]
"""Metric key -> its value, or the :class:`NotComputable` error that stands in its place."""


@dataclass(frozen=True)
class Verdict(ABC):
    """One node of a compiled expectation; ``text`` is the node as code."""

    text: str

    @property
    @abstractmethod
    def metrics(self) -> tuple[Metric, ...]:
        """What must be known."""

    @abstractmethod
    def judge(self, values: Values) -> Part:
        """The verdict on those values."""

    def sample(self, values: Values) -> Sample | None:
        """Which rows to show for a verdict of FAIL; ``None`` when no row is to blame."""
        return None

    def _error(self, error: NotComputable) -> Part:
        return Part(self.text, ERROR, str(error), reason=error.reason)


@dataclass(frozen=True)
class Settled(Verdict):
    """Known without data: from the schema, or a constant."""

    passes: bool
    detail: str

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return ()

    def judge(self, values: Values) -> Part:
        return Part(self.text, PASS if self.passes else FAIL, self.detail)


@dataclass(frozen=True)
class Impossible(Verdict):
    """Cannot be computed, and why."""

    error: NotComputable

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return ()

    def judge(self, values: Values) -> Part:
        return self._error(self.error)


@dataclass(frozen=True)
class NoneOf(Verdict):
    """Passes when a count of offenders is zero; so it does on an empty dataset (``rules.EMPTY_DATASET_PASSES``)."""

    metric: Metric
    noun: str
    offenders: Sample | None = None

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (self.metric, RowCount())

    def judge(self, values: Values) -> Part:
        count, rows = values[self.metric.key], values[RowCount().key]
        for found in (count, rows):
            if isinstance(found, NotComputable):
                return self._error(found)
        measured = {RowCount().key: rows, self.metric.key: count}
        detail = f"{self.noun}: {count} ({rows} rows in all)"
        return Part(self.text, PASS if count == 0 else FAIL, detail, measured, threshold="= 0")

    def sample(self, values: Values) -> Sample | None:
        return self.offenders


@dataclass(frozen=True)
class Meets(Verdict):
    """Passes when a metric's value meets a comparison; without a value ``rules.VALUELESS_PASSES`` decides."""

    metric: Metric
    subject: Value
    limit: Bound
    context: Mapping[str, object]
    hidden: bool = False

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (self.metric,)

    def judge(self, values: Values) -> Part:
        value = values[self.metric.key]
        if isinstance(value, NotComputable):
            return self._error(value)
        if isinstance(value, str) and value == OVERFLOWED and self.metric.kind == "sum":
            subject = self.subject
            return self._error(OverflowedError(subject.dataset, self.metric.key, subject.kind.simpleString()))
        shown = self._shown(value)
        measured = {self.metric.key: shown} | dict(self.context)
        demand = self.limit.text(self.subject.kind)
        if value is None:
            outcome = PASS if VALUELESS_PASSES else FAIL
            told = f"{self.metric.key} has no value here, expected {demand}"
        else:
            outcome = PASS if holds(value, self.limit) else FAIL
            told = f"{self.metric.key} is {shown}, expected {demand}"
        return Part(self.text, outcome, told, measured, threshold=demand)

    def _shown(self, value: object) -> object:
        if self.hidden and value is not None:
            return MASK
        if isinstance(value, int) and family(self.subject.kind) in (TIMESTAMP, WALL_CLOCK):
            return plain(from_micros(value))
        return plain(value)


@dataclass(frozen=True)
class CountsMeet(Verdict):
    """Passes when the dataset's row count compares as asked with a reference's."""

    reference: ReferenceRows
    operator: str

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (RowCount(), self.reference)

    def judge(self, values: Values) -> Part:
        rows, others = values[RowCount().key], values[self.reference.key]
        for found in (rows, others):
            if isinstance(found, NotComputable):
                return self._error(found)
        measured = {RowCount().key: rows, self.reference.key: others}
        threshold = f"{SYMBOLS[self.operator]} {others}"
        detail = f"{rows} rows, expected {threshold}, the rows of {self.reference.dataset}"
        outcome = PASS if holds(rows, Bound(self.operator, others)) else FAIL
        return Part(self.text, outcome, detail, measured, threshold=threshold)


@dataclass(frozen=True)
class Combined(Verdict):
    """``all`` or ``any`` of several parts, each judged once."""

    needs_all: bool
    parts: tuple[Verdict, ...]

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return tuple(metric for part in self.parts for metric in part.metrics)

    def judge(self, values: Values) -> Part:
        parts = tuple(part.judge(values) for part in self.parts)
        outcomes = {part.outcome for part in parts}
        decisive = FAIL if self.needs_all else PASS
        outcome = (
            decisive if decisive in outcomes else ERROR if ERROR in outcomes else (PASS if self.needs_all else FAIL)
        )
        told = [part for part in parts if part.outcome == outcome] or list(parts)
        reason = next((part.reason for part in told if part.reason), "") if outcome == ERROR else ""
        return Part(self.text, outcome, "; ".join(part.detail for part in told), reason=reason, parts=parts)

    def sample(self, values: Values) -> Sample | None:
        failed = (part.sample(values) for part in self.parts if part.judge(values).outcome == FAIL)
        return next((sample for sample in failed if sample is not None), None)


@dataclass(frozen=True)
class Opposite(Verdict):
    """Passes when the part fails; what cannot be computed stays so."""

    part: Verdict

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return self.part.metrics

    def judge(self, values: Values) -> Part:
        part = self.part.judge(values)
        outcome = {PASS: FAIL, FAIL: PASS, ERROR: ERROR}[part.outcome]
        return Part(self.text, outcome, part.detail, reason=part.reason, parts=(part,))


@dataclass(frozen=True)
class Chosen(Verdict):
    """A conditional on the whole dataset: the condition's verdict chooses which part counts."""

    condition: Verdict
    consequence: Verdict
    alternative: Verdict

    @property
    def metrics(self) -> tuple[Metric, ...]:
        return (*self.condition.metrics, *self.consequence.metrics, *self.alternative.metrics)

    def judge(self, values: Values) -> Part:
        condition = self.condition.judge(values)
        if condition.outcome == ERROR:
            return Part(self.text, ERROR, condition.detail, reason=condition.reason, parts=(condition,))
        part = self._branch(condition).judge(values)
        return Part(self.text, part.outcome, part.detail, reason=part.reason, parts=(condition, part))

    def sample(self, values: Values) -> Sample | None:
        return self._branch(self.condition.judge(values)).sample(values)

    def _branch(self, condition: Part) -> Verdict:
        return self.consequence if condition.outcome == PASS else self.alternative


LONG = T.LongType()
