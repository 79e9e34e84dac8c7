"""Checks in, verdicts out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from mirror.checks.columns import Columns
from mirror.checks.compiler import Compiler
from mirror.checks.errors import DuplicateCheckError
from mirror.checks.execution import Frames, execute
from mirror.checks.growth import Growth
from mirror.checks.known_footers import known_footers
from mirror.checks.patterns import java_pattern_fault
from mirror.checks.plan import Plan, plan
from mirror.checks.proofs import Proofs
from mirror.checks.result import FAIL, CheckResult
from mirror.checks.samples import collect
from mirror.checks.states import StateStore
from mirror.checks.subject import CheckSubject
from mirror.checks.verdicts import Values, Verdict
from transforms.expectations.groups import UniqueExpectation
from transforms.expectations.structure import PrimaryKeyExpectation
from transforms.expectations.tree import Expectation

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from transforms.api import Check


def evaluate(
    checks: Sequence[Check],
    subject: CheckSubject,
    *,
    spark: SparkSession,
    now: datetime,
    states: StateStore | None = None,
) -> tuple[CheckResult, ...]:
    """One result per check, in their order; a check that cannot be computed does not keep the others from reporting.

    Args:
        checks: the checks of one dataset.
        subject: the dataset; its ``frame`` is called only when something must be read.
        spark: the session that compiles patterns and reads.
        now: the current time for offsets "to/from current time"; aware.
        states: keeps metric states between evaluations; files seen before are then not read again.

    Raises:
        DuplicateCheckError: two checks share a name.
    """
    _refuse_duplicates(checks, subject)
    if not checks:
        return ()
    verdicts = compile_checks(checks, subject, spark=spark, now=now)
    frames = Frames(subject)
    growth = _growth(subject, states, now)
    planned = plan(verdicts, lambda: _proofs(subject, now, states), growth)
    values = execute(planned, frames, growth)
    identity = _identity(checks, subject)
    return tuple(
        _result(check, verdict, values, subject, frames, identity)
        for check, verdict in zip(checks, verdicts, strict=True)
    )


def explain(
    checks: Sequence[Check],
    subject: CheckSubject,
    *,
    spark: SparkSession,
    now: datetime,
    states: StateStore | None = None,
) -> Plan:
    """What :func:`evaluate` would read for these checks, without reading it."""
    _refuse_duplicates(checks, subject)
    verdicts = compile_checks(checks, subject, spark=spark, now=now)
    growth = _growth(subject, states, now)
    return plan(verdicts, lambda: _proofs(subject, now, states), growth)


def compile_checks(
    checks: Sequence[Check], subject: CheckSubject, *, spark: SparkSession, now: datetime
) -> tuple[Verdict, ...]:
    """Each check's expectation as a verdict that knows its metrics."""
    compiler = Compiler(subject, now, lambda pattern: java_pattern_fault(spark, pattern))
    return tuple(compiler.compile(check.expectation) for check in checks)


def _growth(subject: CheckSubject, states: StateStore | None, now: datetime) -> Growth | None:
    usable = states is not None and subject.files and subject.part is not None and subject.schema is not None
    return Growth(subject, states, now) if usable and states is not None else None


def _proofs(subject: CheckSubject, now: datetime, states: StateStore | None) -> Proofs | None:
    footers = known_footers(subject.name, subject.files, subject.inside, states)
    return None if footers is None else Proofs(Columns(subject.name, subject.schema), footers, now)


def _result(
    check: Check,
    verdict: Verdict,
    values: Values,
    subject: CheckSubject,
    frames: Frames,
    identity: tuple[str, ...],
) -> CheckResult:
    part = verdict.judge(values)
    sample = verdict.sample(values) if part.outcome == FAIL else None
    offending = (
        ()
        if sample is None
        else collect(
            sample,
            frames.own(),
            identity=identity,
            references={name: frames.reference(name) for name in sample.references},
            sensitive=subject.sensitive,
        )
    )
    return CheckResult(
        name=check.name,
        on_error=check.on_error,
        outcome=part.outcome,
        expectation=part.expectation,
        detail=part.detail,
        measured=part.all_measured(),
        offending=offending,
        reason=part.reason,
        parts=part.parts,
        description=check.description,
        threshold=part.threshold,
    )


def _refuse_duplicates(checks: Sequence[Check], subject: CheckSubject) -> None:
    names: set[str] = set()
    for check in checks:
        if check.name in names:
            raise DuplicateCheckError(subject.name, check.name)
        names.add(check.name)


def _identity(checks: Sequence[Check], subject: CheckSubject) -> tuple[str, ...]:
    """The columns that some check declares to tell rows apart and that exist; the shortest such list."""
    present = {field.name for field in subject.schema.fields} if subject.schema is not None else set()
    declared = [
        node.keys
        for check in checks
        if isinstance(check.expectation, Expectation)
        for node in check.expectation.walk()
        if isinstance(node, PrimaryKeyExpectation | UniqueExpectation) and present.issuperset(node.keys)
    ]
    return min(declared, key=len, default=())
