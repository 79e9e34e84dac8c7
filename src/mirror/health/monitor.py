"""Evaluates health checks and keeps what they said. Reads the catalog; rows only with a session."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from mirror.checks.errors import NotComputable
from mirror.datasets import Workspace
from mirror.errors import MirrorError
from mirror.health import reports
from mirror.health.case import HealthCase, Subject
from mirror.health.check_files import HealthChecks, load_checks
from mirror.health.content import Session
from mirror.health.declaration import ContentCheck, HealthCheck, ScheduleCheck
from mirror.health.errors import NotApplicableError, NotSettledError, SubjectMissingError
from mirror.health.finding import Finding, Status
from mirror.health.notices import conclude
from mirror.health.reports import CheckReport
from mirror.health.runs import Runs


@dataclass(frozen=True)
class Unsettled:
    """A check that was not evaluated, because the answer lies in rows that nobody has asked to read."""

    check: str
    subject: str
    why: str


@dataclass(frozen=True)
class Evaluation:
    """What came of some checks: reports in their order (also on failures that were due earlier), and what is open."""

    reports: tuple[CheckReport, ...] = ()
    unsettled: tuple[Unsettled, ...] = ()

    @property
    def newest(self) -> tuple[CheckReport, ...]:
        """The last report of each check."""
        return tuple({report.check: report for report in self.reports}.values())

    @property
    def alarms(self) -> tuple[CheckReport, ...]:
        """Those that are failing now, and awake."""
        return tuple(report for report in self.newest if report.alarms)


def evaluate_checks(
    workspace: Workspace, checks: Iterable[HealthCheck], branch: str, *, session: Session | None = None
) -> Evaluation:
    """Evaluates the checks that are about ``branch`` or about no branch in particular; nothing a check does raises.

    Args:
        session: reads rows where states and footers do not tell; without it such checks stay unsettled.
    """
    return _Monitor(workspace, branch, session).evaluate([one for one in checks if one.branch in (None, branch)])


def after_build(workspace: Workspace, branch: str, made: Collection[str]) -> Evaluation:
    """Evaluates what is automatic and about any of the datasets ``made``, without reading rows.

    Raises HealthCheckFileError.
    """
    checks = load_checks(workspace.config.repository)
    if not checks.all:
        return Evaluation()
    monitor = _Monitor(workspace, branch, None)
    return monitor.evaluate([one for one in _touched(checks, monitor.runs, made, branch) if monitor.is_due(one)])


def _touched(checks: HealthChecks, runs: Runs, made: Collection[str], branch: str) -> Iterable[HealthCheck]:
    changed = set(made)
    for check in checks.all:
        paths = runs.needed(check.paths) if isinstance(check, ScheduleCheck) else check.paths
        if check.branch in (None, branch) and not changed.isdisjoint(paths):
            yield check


class _Monitor:
    def __init__(self, workspace: Workspace, branch: str, session: Session | None) -> None:
        self._workspace = workspace
        self._branch = branch
        self._session = session
        self._subjects: dict[str, Subject] = {}
        self.runs = Runs(workspace, branch)

    def is_due(self, check: HealthCheck) -> bool:
        """Whether a build evaluates it: automatic ones always, others only to see a failure resolved."""
        if check.evaluation is None:
            return True
        newest = reports.history(self._workspace, self._branch, check.name, limit=1)
        return check.automatically_resolve and bool(newest) and newest[0].status.is_failing

    def evaluate(self, checks: Sequence[HealthCheck]) -> Evaluation:
        self._say_what_is_wanted(checks)
        made: list[CheckReport] = []
        unsettled: list[Unsettled] = []
        for check in checks:
            earlier = list(reports.history(self._workspace, self._branch, check.name))
            try:
                findings = self._findings(check, earlier)
            except NotSettledError as error:
                unsettled.append(Unsettled(check.name, check.subject, str(error)))
                continue
            for finding in findings:
                report = conclude(check, finding, earlier, self._branch, self._workspace.clock())
                earlier.insert(0, report)
                made.append(report)
        return Evaluation(reports.keep(self._workspace, made), tuple(unsettled))

    def _subject(self, path: str) -> Subject:
        if path not in self._subjects:
            self._subjects[path] = Subject(self._workspace, path, self._branch, self.runs, self._session)
        return self._subjects[path]

    def _say_what_is_wanted(self, checks: Sequence[HealthCheck]) -> None:
        """All content checks of a dataset share one pass, so it must know of all of them beforehand."""
        for check in checks:
            if not isinstance(check, ContentCheck):
                continue
            for path in check.paths:
                try:
                    content = self._subject(path).content
                    content.want(check.metrics(content.columns))
                except Exception:  # noqa: BLE001, S112 - raised again, and reported, when the check is evaluated
                    continue

    def _findings(self, check: HealthCheck, earlier: Sequence[CheckReport]) -> list[Finding]:
        """What was missed, then what is. Raises NotSettledError."""
        case = HealthCase(
            now=self._workspace.clock(),
            subject=self._subject(check.paths[0]),
            runs=self.runs,
            earlier=[report for report in earlier if _same_question(report, check)],
            others={path: self._subject(path) for path in check.paths[1:]},
        )
        try:
            return [*check.missed(case), check.evaluate(case)]
        except NotSettledError:
            raise
        except NotApplicableError as error:
            return [Finding(Status.NOT_APPLICABLE, str(error))]
        except (NotComputable, SubjectMissingError) as error:
            return [Finding(Status.NOT_COMPUTABLE, str(error))]
        except MirrorError as error:
            return [Finding(Status.ERROR, str(error))]
        except Exception as error:  # noqa: BLE001 - a check that breaks is reported, and its neighbours still are
            return [Finding(Status.ERROR, f"{type(error).__name__}: {' '.join(str(error).split())}")]


def _same_question(report: CheckReport, check: HealthCheck) -> bool:
    """Whether a report's value may stand beside the check's: somebody may have pointed the check elsewhere since."""
    column = getattr(check, "column_name", None)
    return (report.type, report.subject, report.config.get("columnName")) == (check.type, check.subject, column)
