"""Errors of the health room.

UsageError
|-- HealthError
|   |-- AlertsRefusedError
|   |   |-- AlertColumnsError     a dataset that should hold alerts lacks columns without which nobody can be paged
|   |   `-- MisroutedAlertError   a quality alert without owner, runbook, reason or escalation, or with two owners
|   |-- UnknownAlertError         no alert or silence has the id asked for
|   |-- SilenceError              a silence that would hold for everything, for ever or in the past
|   |-- SinkSettingsError         a sink of the workspace's config.toml is not usable as written
|   |-- NoBaselineReaderError     the repository cannot compute a drift baseline again
|   |-- UnusedBranchError         no dataset has the branch asked for
|   `-- UnknownHealthCheckError   no check has the name asked for
`-- FileMistakeError
    |-- HealthCheckFileError      a file of checks is wrong; names file, line and fix
    `-- RoutingFileError          the routing is wrong; names file, line and fix
VerdictError
|-- NotApplicableError            there is nothing to judge yet
|-- NotSettledError               the answer lies in rows that nobody has asked to read
`-- SubjectMissingError           no such dataset, or not what the check needs it to be
"""

from __future__ import annotations

from mirror.errors import UsageError, VerdictError, nearest
from mirror.located import FileMistakeError


class HealthError(UsageError):
    """Root of this room's errors."""


class AlertsRefusedError(HealthError):
    """Root of what makes the alerts of a dataset unusable."""


class AlertColumnsError(AlertsRefusedError):
    """``dataset`` lacks the columns ``missing``; ``known`` are those it has."""

    def __init__(self, dataset: str, missing: tuple[str, ...], known: tuple[str, ...]) -> None:
        super().__init__(dataset, missing, known)
        self.dataset, self.missing, self.known = dataset, missing, known

    def __str__(self) -> str:
        names = ", ".join(self.missing)
        return (
            f"{self.dataset} has no column {names}: an alert without it cannot be routed."
            f"{nearest(self.missing[0], self.known)} Let the transform that writes it add the column, then build again."
        )


class MisroutedAlertError(AlertsRefusedError):
    """The alert of ``metric`` in ``dataset`` cannot reach one person who knows what to do, because of ``problem``."""

    def __init__(self, dataset: str, metric: str, problem: str) -> None:
        super().__init__(dataset, metric, problem)
        self.dataset, self.metric, self.problem = dataset, metric, problem

    def __str__(self) -> str:
        return (
            f"{self.dataset}: the alert of {self.metric} {self.problem}. Say one of each where the metric is defined, "
            "then build again."
        )


class UnknownAlertError(HealthError):
    """``args``: what was looked for (``alert`` or ``silence``), the id as typed, and the ids there are."""

    def __str__(self) -> str:
        what, typed, known = self.args
        there = f"There are: {', '.join(known)}." if known else "There are none."
        return f"no {what} has the id {typed!r}, or several do.{nearest(typed, known)} {there}"


class SilenceError(HealthError):
    """``args``: what is wrong with a silence, and what to give instead."""

    def __str__(self) -> str:
        return str(self.args[0])


class SinkSettingsError(HealthError):
    """``args``: the sink, and what is wrong with its section and how to put it right. Never holds a secret."""

    def __str__(self) -> str:
        sink, problem = self.args
        return f"[alerts.sinks.{sink}] of the workspace's config.toml: {problem}"


class NoBaselineReaderError(HealthError):
    """``place`` holds no module that computes a drift baseline again, or several."""

    def __init__(self, place: str) -> None:
        super().__init__(place)
        self.place = place

    def __str__(self) -> str:
        return (
            f"{self.place} cannot compute a drift baseline again. Let one package have a module "
            "monitoring/baselines.py with a function recomputed(dataset, read, recorded)."
        )


class UnusedBranchError(HealthError):
    """No dataset has ``branch``; ``known`` are the branches there are. Silence would look like health."""

    def __init__(self, branch: str, known: tuple[str, ...]) -> None:
        super().__init__(branch, known)
        self.branch, self.known = branch, known

    def __str__(self) -> str:
        return (
            f"no dataset has a branch {self.branch!r}.{nearest(self.branch, self.known)} "
            f"There are: {', '.join(self.known)}."
        )


class UnknownHealthCheckError(HealthError):
    """No check is called ``name``; ``known`` are those there are, ``folder`` is where they are written."""

    def __init__(self, name: str, known: tuple[str, ...], folder: str) -> None:
        super().__init__(name, known, folder)
        self.name, self.known, self.folder = name, known, folder

    def __str__(self) -> str:
        there = f"There are: {', '.join(self.known)}." if self.known else "There are none."
        return f"no health check is called {self.name!r} in {self.folder}.{nearest(self.name, self.known)} {there}"


class HealthCheckFileError(FileMistakeError):
    """A mistake in a file of health checks. ``args``: file, line, what is wrong and how to put it right."""


class RoutingFileError(FileMistakeError):
    """A mistake in the routing. ``args``: file, line, what is wrong and how to put it right."""


class NotApplicableError(VerdictError):
    """``args``: one sentence that says what is missing before there is anything to judge."""


class NotSettledError(VerdictError):
    """``args``: what would have to be read."""

    def __str__(self) -> str:
        return f"neither footers nor kept states tell {self.args[0]}; `mirror health run --content` reads it"


class SubjectMissingError(VerdictError):
    """``args``: what is wrong with the subject, and the way out."""

    def __str__(self) -> str:
        return str(self.args[0])
