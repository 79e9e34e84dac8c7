"""What a build did: one result per job, and what each did to its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from mirror.builds.specs import JobSpec, ParamSpec
from mirror.errors import ExitCode


class JobStatus(StrEnum):
    """How a job ended."""

    SUCCEEDED = "succeeded"
    NOTHING_COMMITTED = "nothing committed"
    """``ctx.abort_job()``: a success whose outputs stay as they were."""
    SKIPPED = "skipped"
    WAITING = "waiting"
    FAILED = "failed"
    ABORTED = "aborted"
    """A FAIL check refused."""
    NOT_RUN = "not run"
    """Something upstream failed."""
    CANCELLED = "cancelled"

    @property
    def is_bad(self) -> bool:
        """Whether a build with such a job ends with exit code 1."""
        return self in (JobStatus.FAILED, JobStatus.ABORTED, JobStatus.NOT_RUN, JobStatus.CANCELLED)


@dataclass(frozen=True)
class CheckEntry:
    """One verdict. ``document`` is ``mirror.checks.CheckResult.to_json()``."""

    parameter: str
    dataset: str
    side: str
    name: str
    on_error: str
    outcome: str
    document: Mapping[str, Any]

    @property
    def passed(self) -> bool:
        """Whether the expectation held."""
        return self.outcome == "PASS"


@dataclass(frozen=True)
class OutputEntry:
    """What a job did to one output.

    Attributes:
        transaction: RID (of the new version, for models), ``None`` where nothing was committed.
        type: of the transaction.
        rows: of the view after the commit, where known from footers.
        written: rows this transaction brought, where known.
        missing: why a model got no version although its job succeeded; ``None`` for everything else.
    """

    dataset: str
    transaction: str | None = None
    type: str | None = None
    rows: int | None = None
    written: int | None = None
    missing: str | None = None

    @classmethod
    def of_resource(cls, spec: JobSpec, param: ParamSpec, version: str | None, logged: Sequence[str]) -> OutputEntry:
        """Of an output that is no dataset. A model without a new version must not pass for one that was made.

        Args:
            spec: whose output it is.
            param: which one; it has an alias.
            version: what the job made of it, if anything.
            logged: what the transform warned of while it ran.
        """
        missing = None
        if version is None and param.kind == "model_output":
            missing = "; ".join(logged) or f"{spec.name} published none, and logged no warning that says why"
        return cls(str(param.alias), version, param.kind, missing=missing)


@dataclass(frozen=True)
class JobResult:
    """One job of a build.

    Attributes:
        reason: why it ran, was skipped or waits.
        mode: ``incremental`` or ``snapshot`` and why, for jobs that ran.
        warnings: what a person should know (an output left empty, a WARN check).
        seconds: wall time.
    """

    spec: JobSpec
    branch: str
    status: JobStatus
    reason: str
    mode: str = ""
    outputs: Sequence[OutputEntry] = ()
    checks: Sequence[CheckEntry] = ()
    warnings: Sequence[str] = ()
    published: Mapping[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    error: str | None = None
    traceback: str | None = None

    def count(self, passed: bool, dataset: str | None = None) -> int:
        """Checks that passed, or did not; of one dataset or of all."""
        return sum(1 for c in self.checks if c.passed is passed and dataset in (None, c.dataset))

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "transform": self.spec.name,
            "reference": self.spec.reference,
            "branch": self.branch,
            "status": self.status.value,
            "reason": self.reason,
            "mode": self.mode,
            "outputs": [vars(entry) for entry in self.outputs],
            "checks": [vars(entry) for entry in self.checks],
            "checks_passed": self.count(True),
            "checks_failed": self.count(False),
            "warnings": list(self.warnings),
            "published": dict(self.published),
            "seconds": round(self.seconds, 3),
            "error": self.error,
        }


@dataclass(frozen=True)
class BuildReport:
    """One build. ``rid`` is ``None`` when nothing had to run."""

    rid: str | None
    branch: str
    jobs: Sequence[JobResult]

    @property
    def unmade(self) -> tuple[OutputEntry, ...]:
        """The models whose jobs succeeded without making a version."""
        return tuple(output for job in self.jobs for output in job.outputs if output.missing is not None)

    @property
    def exit_code(self) -> ExitCode:
        """0, or 1 when a job failed or a check refused."""
        return ExitCode.REFUSED if any(job.status.is_bad for job in self.jobs) else ExitCode.DONE

    @property
    def status(self) -> str:
        """``up to date``, ``succeeded``, ``failed``, ``cancelled``, or ``waiting`` where nothing could be built yet."""
        statuses = {job.status for job in self.jobs}
        broken = statuses & {JobStatus.FAILED, JobStatus.ABORTED}
        if JobStatus.CANCELLED in statuses and not broken:
            return "cancelled"
        if any(status.is_bad for status in statuses):
            return "failed"
        ran = statuses & {JobStatus.SUCCEEDED, JobStatus.NOTHING_COMMITTED}
        if ran:
            return "succeeded"
        return "waiting" if statuses == {JobStatus.WAITING} else "up to date"

    def to_json(self) -> dict[str, Any]:
        """For ``--json``."""
        return {
            "build": self.rid,
            "branch": self.branch,
            "status": self.status,
            "models_without_new_version": {output.dataset: output.missing for output in self.unmade},
            "jobs": [job.to_json() for job in self.jobs],
        }
