"""Everything the report shows, as frozen values: what is not here cannot be on the page."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from mirror.health import AlertBook, EquipmentAlert
from mirror.report.parts import Panel

STATUSES = ("pass", "warn", "fail", "error")


@dataclass(frozen=True)
class DatasetLine:
    """One dataset on the branch.

    Attributes:
        rows: ``None`` where the files do not tell (raw files) or nothing is committed.
        transaction: RID of the newest commit, its type and its end; ``None`` before the first.
        produced: whether a transform of the pipeline writes it; ``None`` when no pipeline could be read.
    """

    path: str
    rows: int | None
    files: int
    size: int
    transactions: int
    transaction: str | None = None
    kind: str | None = None
    committed_at: datetime | None = None
    produced: bool | None = None

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def fleet(self) -> str:
        """The folder it lies in; empty for a path without one."""
        return self.path.rsplit("/", 1)[0] if "/" in self.path else ""


@dataclass(frozen=True)
class Edge:
    """``source`` is read by the transform ``via`` that writes ``target``; either end may be a model."""

    source: str
    target: str
    via: str


def verdict_status(outcome: str, on_error: str) -> str:
    """``pass``; ``error`` when it could not be computed; else ``fail`` or ``warn`` as the check was declared."""
    if outcome == "PASS":
        return "pass"
    if outcome == "ERROR":
        return "error"
    return "fail" if on_error == "FAIL" else "warn"


@dataclass(frozen=True)
class CheckLine:
    """The newest verdict of one check, and (status, time) of it and those before it, newest last.

    ``offending`` rows are (column, value) pairs as text.
    """

    dataset: str
    name: str
    expectation: str
    outcome: str
    on_error: str
    detail: str
    checked_at: datetime | None = None
    offending: tuple[tuple[tuple[str, str], ...], ...] = ()
    past: tuple[tuple[str, datetime], ...] = ()

    @property
    def status(self) -> str:
        """As :func:`verdict_status`."""
        return verdict_status(self.outcome, self.on_error)


@dataclass(frozen=True)
class HealthLine:
    """The newest report of one health check, and (status, time) of those before it, newest last.

    ``status`` is one of ``pass``, ``warn``, ``fail``, ``error``; in ``past`` also ``idle``: nothing to judge.
    """

    check: str
    subject: str
    view: str
    status: str
    severity: str
    message: str
    at: datetime
    told: tuple[str, ...] = ()
    past: tuple[tuple[str, datetime], ...] = ()


@dataclass(frozen=True)
class Count:
    """Rows under one heading; ``note`` explains it, ``aside`` marks rows that left the main way."""

    name: str
    rows: int | None
    note: str = ""
    aside: bool = False


@dataclass(frozen=True)
class ScorePoint:
    """The score of one window, at the window's end."""

    at: datetime
    score: float
    flagged: bool


@dataclass(frozen=True)
class DeviceScores:
    """The score history of one device under one model and window length.

    Attributes:
        windows, flagged: counts over everything scored; ``points`` may be thinned out for drawing, keeping the peaks.
        faults: when a known fault began, one per labelled day; each is shaded for 24 hours.
    """

    device_id: str
    model: str
    window_minutes: int | None
    threshold: float | None
    windows: int
    flagged: int
    points: tuple[ScorePoint, ...]
    faults: tuple[datetime, ...] = ()


@dataclass(frozen=True)
class Table:
    """A small dataset shown as it is. ``total`` counts all rows, ``rows`` those shown."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: int
    audience: str = "operations"


@dataclass(frozen=True)
class FleetSection:
    """One fleet: the datasets of one folder that have the pipeline's names.

    ``raised`` counts equipment alerts per severity over the whole history, suppressed ones left out, ``worst_raised``
    are the most severe of them; ``alerts`` holds what is still open.
    """

    prefix: str
    flow: tuple[Count, ...] = ()
    reasons: tuple[Count, ...] = ()
    flags: tuple[Count, ...] = ()
    scores: tuple[DeviceScores, ...] = ()
    devices_scored: int = 0
    worst_raised: tuple[EquipmentAlert, ...] = ()
    raised: tuple[Count, ...] = ()
    alerts: AlertBook = field(default_factory=AlertBook)
    tables: tuple[Table, ...] = ()

    @property
    def name(self) -> str:
        """The folder's own name, for headings."""
        return self.prefix.rsplit("/", 1)[-1] or self.prefix


@dataclass(frozen=True)
class ModelLine:
    """One version of a model and the environments that serve it now (``staging``, ``production``)."""

    model: str
    version: str
    created_at: datetime | None = None
    released: tuple[str, ...] = ()
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Runbook:
    """What to do, for the alerts that name it. ``text`` is the page in Markdown; without it ``page`` is an address."""

    id: str
    page: str
    text: str = ""


@dataclass(frozen=True)
class ReportSnapshot:
    """The report's whole content.

    Attributes:
        as_of: end of the newest commit shown; the report carries no other time, so the same data gives the same page.
        model_paths: the ends of ``edges`` that are models, not datasets.
        panels: the sections of :mod:`mirror.report.sections`, for every fleet.
        told: alert id -> who was told of it and who works on it.
        runbooks: those that the alerts shown name, as far as they are written down.
        notes: what could not be shown, and why.
    """

    workspace: str
    branch: str
    as_of: datetime | None = None
    datasets: tuple[DatasetLine, ...] = ()
    edges: tuple[Edge, ...] = ()
    model_paths: tuple[str, ...] = ()
    checks: tuple[CheckLine, ...] = ()
    health: tuple[HealthLine, ...] = ()
    fleets: tuple[FleetSection, ...] = ()
    models: tuple[ModelLine, ...] = ()
    panels: tuple[Panel, ...] = ()
    told: tuple[tuple[str, str], ...] = ()
    runbooks: tuple[Runbook, ...] = ()
    notes: tuple[str, ...] = ()

    def check_counts(self, dataset: str | None = None) -> dict[str, int]:
        """Checks per status, over all datasets or of one."""
        found = dict.fromkeys(STATUSES, 0)
        for check in self.checks:
            if dataset in (None, check.dataset):
                found[check.status] += 1
        return found
