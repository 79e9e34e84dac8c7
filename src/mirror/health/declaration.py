"""What every health check says besides what it measures. A kind (``mirror.health.kinds``) adds its own parameters."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, BeforeValidator, Field, model_validator

from mirror.health.finding import Finding, Severity, gravest
from mirror.health.thresholds import Bounds, MedianDeviation, Part, Text, Threshold, Whole

if TYPE_CHECKING:
    from mirror.checks.columns import Columns
    from mirror.checks.metrics.base import ScanMetric
    from mirror.health.case import HealthCase


def _as_list(given: Any) -> Any:
    return [given] if isinstance(given, dict) else given


_TELL_APART = ("column_name", "columns", "other_dataset", "other_column_name", "expectation")

OneOrMore = BeforeValidator(_as_list)
"""A threshold by itself is a list of one."""


class Subscriber(Part):
    """Somebody who watches a check; the levels are those of watching in Foundry."""

    who: Text
    level: Literal["all failures", "only critical", "nothing"] = "all failures"


class Snooze(Part):
    """Until then the check is evaluated as ever, but nobody is told and no exit code is spoiled."""

    until: AwareDatetime
    reason: Text


class CustomSchedule(Part):
    """A Quartz expression of six fields.

    No daemon runs here: it is recorded and shown, builds leave the check alone, and ``mirror health run`` evaluates it.
    """

    cron: Text

    @model_validator(mode="after")
    def _six_fields(self) -> CustomSchedule:
        count = len(self.cron.split())
        if count not in (6, 7):
            hint = "; a schedule's five-field expression needs the seconds in front" if count == 5 else ""
            raise ValueError(
                f"{self.cron!r} has {count} fields; Data Health takes Quartz expressions: "
                f"seconds minutes hours day-of-month month day-of-week{hint}"
            )
        return self


def _automatic(given: Any) -> Any:
    if given == "automatic":
        return None
    if isinstance(given, dict):
        return given
    raise ValueError("write `automatic`, or `{cron: ...}` with a Quartz expression of six fields")


class Escalation(Part):
    """After so many failures in a row, if given within so many seconds, a failure is CRITICAL."""

    failures_to_critical: Annotated[Whole, Field(ge=2)]
    time_interval_in_seconds: Annotated[Whole, Field(ge=1)] | None = None


class HealthCheck(Part):
    """One check, as written.

    Attributes:
        name: its identity: results are kept under it, so renaming begins a new history.
        branch: of the subject; ``None`` is the branch that is looked at.
        reason: why it is watched, or why its one threshold is where it is.
        owner: who answers for the check itself.
        view: the monitoring view (group) it is shown in.
        evaluation: a schedule, or ``None`` for ``automatic``: after each build that touches the subject, and whenever
            health is run.
        automatically_resolve: a failed check on a schedule is evaluated after builds as well, until it passes.
    """

    kind: ClassVar[str]
    api: ClassVar[bool] = True
    """Whether Foundry's public API has the type."""

    name: Annotated[Text, Field(max_length=200)]
    type: str
    branch: Text | None = None
    reason: Text | None = None
    owner: Text
    subscribers: tuple[Subscriber, ...] = ()
    view: Text = "unassigned"
    notes: str = ""
    runbook: str = ""
    evaluation: Annotated[CustomSchedule | None, BeforeValidator(_automatic)] = None
    automatically_resolve: bool = False
    snooze: Snooze | None = None

    @property
    @abstractmethod
    def subject(self) -> str:
        """What it is about, for people."""

    @property
    @abstractmethod
    def paths(self) -> tuple[str, ...]:
        """The datasets it is about."""

    @property
    def identity(self) -> tuple[str, ...]:
        """Two checks of one identity ask the same question; Foundry refuses the second."""
        about = [str(getattr(self, name)) for name in _TELL_APART if hasattr(self, name)]
        return (self.type, self.subject, self.branch or "", *about)

    @abstractmethod
    def evaluate(self, case: HealthCase) -> Finding:
        """The verdict. Raises NotApplicableError, NotSettledError and what ``mirror.checks`` calls NotComputable."""

    def missed(self, case: HealthCase) -> Sequence[Finding]:
        """Failures that were due since the last report and that nobody was there to see."""
        return ()

    @property
    def thresholds(self) -> tuple[tuple[tuple[str | int, ...], Threshold], ...]:
        """Every threshold and where it is written."""
        return tuple(_thresholds(self))

    @property
    def gravest(self) -> Severity:
        """The greatest severity that it declares."""
        return gravest([one.severity for _, one in self.thresholds])

    @property
    def snoozed_until(self) -> datetime | None:
        """The end of its snooze."""
        return None if self.snooze is None else self.snooze.until


def _thresholds(check: HealthCheck) -> Iterator[tuple[tuple[str | int, ...], Threshold]]:
    for name, field in type(check).model_fields.items():
        given, key = getattr(check, name), field.alias or name
        if isinstance(given, Threshold):
            yield (key,), given
        elif isinstance(given, tuple):
            yield from (((key, at), one) for at, one in enumerate(given) if isinstance(one, Threshold))


class DatasetCheck(HealthCheck):
    """About one dataset on one branch."""

    dataset: Text

    @property
    def subject(self) -> str:
        return self.dataset

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.dataset,)


class ScheduleTargets(Part):
    """A schedule is what it builds: these datasets and everything they need."""

    targets: tuple[Text, ...] = Field(min_length=1)


class ScheduleCheck(HealthCheck):
    """About the builds that make some targets."""

    schedule: ScheduleTargets

    @property
    def subject(self) -> str:
        return "schedule of " + ", ".join(self.schedule.targets)

    @property
    def paths(self) -> tuple[str, ...]:
        return self.schedule.targets


class Graded(HealthCheck):
    """A check without numbers: it has a severity of its own."""

    severity: Severity

    @property
    def gravest(self) -> Severity:
        return self.severity


class StatusCheck(Graded):
    """Whether something succeeded; only these escalate."""

    escalation: Escalation | None = None


class Bounded(HealthCheck):
    """A check with bounds, a median deviation of its own history, or both; a kind says in which unit ``bounds`` are."""

    limits: ClassVar[tuple[str, ...]] = ("bounds", "median_deviation")
    """The parameters of which one at least is given."""

    median_deviation: MedianDeviation | None = None
    bounds: Annotated[tuple[Bounds, ...], OneOrMore] = ()

    @model_validator(mode="after")
    def _limited(self) -> Bounded:
        some_part(self, *self.limits)
        return self


class ContentCheck(DatasetCheck):
    """About values. What it needs of the rows is said before, so that all checks of a dataset share one pass."""

    def metrics(self, columns: Columns) -> tuple[ScanMetric, ...]:
        """What must be known of the rows; nothing for a check that asks in its own way. Raises ColumnMissingError."""
        return ()


def some_part(check: HealthCheck, *names: str) -> None:
    """Raises ValueError unless one of these parameters is given."""
    if not any(getattr(check, name) for name in names):
        keys = " or ".join(str(type(check).model_fields[name].alias) for name in names)
        raise ValueError(f"{check.type} needs {keys}")
