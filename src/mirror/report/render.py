"""From a snapshot to one self-contained HTML page."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from mirror.health import SEVERITIES, EquipmentAlert, QualityAlert
from mirror.health.alert_book import counts
from mirror.health.delivery.concerns import concern_id
from mirror.health.delivery.states import NOBODY
from mirror.report.errors import ReportUnwritableError
from mirror.report.layout import NODE_HEIGHT, NODE_WIDTH, layout
from mirror.report.parts import Panel
from mirror.report.plots import score_timeline
from mirror.report.runbooks import as_html, title_of
from mirror.report.snapshot import STATUSES, CheckLine, FleetSection, ReportSnapshot, Runbook

FILE_NAME = "report.html"
AUDIENCES = {
    "operations": "Operations",
    "science": "Data science",
    "management": "Management",
    "pipeline": "Lineage and checks",
}
"""What the page is divided into, in its order."""


def render(snapshot: ReportSnapshot) -> str:
    """The page. Equal snapshots give equal text; it refers to nothing outside itself."""
    script = _script()
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            snapshot=snapshot,
            # Only this very text runs: whatever a name from the data smuggled in would not.
            script=Markup(script),  # noqa: S704
            script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
            panels=_by_audience(snapshot.panels),
            anchors={line.path: f"dataset-{number}" for number, line in enumerate(snapshot.datasets, start=1)},
            alerts_on=Counter(path for fleet in snapshot.fleets for path in _alarmed(fleet)),
            work=_work(snapshot),
            runbooks={one.id: one.page if not one.text else f"#{_anchor(one)}" for one in snapshot.runbooks},
            pages=[(_anchor(one), title_of(one), as_html(_body(one))) for one in snapshot.runbooks if one.text],
            lines={line.path: line for line in snapshot.datasets},
            checks=_by_dataset(snapshot.checks),
            worst={line.path: _worst(snapshot, line.path) for line in snapshot.datasets},
            lineages=[(title, layout(names, snapshot.edges)) for title, names in lineage_groups(snapshot)],
            models={*snapshot.model_paths, *(line.model for line in snapshot.models)},
            timelines=_timelines(snapshot.fleets),
            quality_open=sum(len(fleet.alerts.quality) for fleet in snapshot.fleets),
            equipment_open=sum(len(fleet.alerts.equipment) for fleet in snapshot.fleets),
        )
    )


def write_report(snapshot: ReportSnapshot, directory: Path) -> Path:
    """Writes ``report.html`` into ``directory`` (made if missing), in place of an older one.

    Raises:
        ReportUnwritableError: the folder or file cannot be written.
    """
    path = directory / FILE_NAME
    try:
        directory.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(".html.part")
        unfinished.write_text(render(snapshot), encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise ReportUnwritableError(str(path), error.strerror or str(error)) from error
    return path


def lineage_groups(snapshot: ReportSnapshot) -> list[tuple[str, set[str]]]:
    """One picture per set of datasets and models that are connected by transforms; what stands alone has none.

    Returns:
        (the folder they share, names), ordered by folder.
    """
    groups: list[set[str]] = []
    for edge in snapshot.edges:
        touched = [group for group in groups if {edge.source, edge.target} & group]
        groups = [group for group in groups if group not in touched]
        groups.append({edge.source, edge.target}.union(*touched))
    return sorted(((_shared_folder(g), g) for g in groups if len(g) > 1), key=lambda pair: (pair[0], min(pair[1])))


def _shared_folder(names: set[str]) -> str:
    folders = [name.split("/")[:-1] for name in sorted(names)]
    shared = [parts[0] for parts in zip(*folders, strict=False) if len(set(parts)) == 1]
    return "/".join(shared)


@cache
def _environment() -> Environment:
    """The templates, parsed once: serving the page makes it again and again."""
    environment = Environment(
        loader=PackageLoader("mirror.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=_number, moment=_moment, size=_size, breakable=_breakable, coded=_coded)
    environment.globals.update(
        SEVERITIES=SEVERITIES,
        STATUSES=STATUSES,
        AUDIENCES=AUDIENCES,
        NODE_WIDTH=NODE_WIDTH,
        NODE_HEIGHT=NODE_HEIGHT,
        counts=counts,
        part_class=_part_class,
    )
    return environment


def _script() -> str:
    """The page's only script, which shows one audience at a time, searches, and follows the lineage."""
    return (resources.files("mirror.report") / "templates" / "report.js").read_text(encoding="utf-8")


def _by_audience(panels: Iterable[Panel]) -> dict[tuple[str, str], list[Panel]]:
    found: dict[tuple[str, str], list[Panel]] = {}
    for panel in panels:
        found.setdefault((panel.audience, panel.fleet), []).append(panel)
    return found


def _alarmed(fleet: FleetSection) -> Iterable[str]:
    """The datasets that open quality alerts are about, one entry per alert."""
    for alert in fleet.alerts.quality:
        yield alert.dataset if alert.dataset.startswith("/") else f"{fleet.prefix}/{alert.dataset}"


def _work(snapshot: ReportSnapshot) -> dict[EquipmentAlert | QualityAlert, str]:
    """What became of each alert since it opened."""
    told = dict(snapshot.told)
    alerts: list[EquipmentAlert | QualityAlert] = []
    for fleet in snapshot.fleets:
        alerts += [*fleet.alerts.quality, *fleet.alerts.equipment, *fleet.worst_raised]
    return {alert: told.get(concern_id(alert, snapshot.branch), NOBODY) for alert in alerts}


def _anchor(runbook: Runbook) -> str:
    return "runbook-" + "".join(letter if letter.isalnum() else "-" for letter in runbook.id)


def _body(runbook: Runbook) -> str:
    """The page without its title, its headings one step below the one of the section that shows it."""
    lines = [line for line in runbook.text.splitlines() if not line.startswith("# ")]
    return "\n".join(f"#{line}" if line.startswith("##") else line for line in lines)


def _part_class(name: str, place: int) -> str:
    """The class that colours one part of a pile: severities have colours of their own."""
    return name.lower() if name in SEVERITIES else f"p{place}"


def _by_dataset(checks: Iterable[CheckLine]) -> dict[str, list[CheckLine]]:
    """Worst first, then by name."""
    found: dict[str, list[CheckLine]] = {}
    for check in sorted(checks, key=lambda c: (c.dataset, -STATUSES.index(c.status), c.name)):
        found.setdefault(check.dataset, []).append(check)
    return found


def _worst(snapshot: ReportSnapshot, dataset: str) -> str:
    present = [status for status, count in snapshot.check_counts(dataset).items() if count]
    return present[-1] if present else "none"


def _timelines(fleets: Iterable[FleetSection]) -> dict[tuple[str, str], Markup]:
    drawn = {}
    for number, fleet in enumerate(fleets):
        for place, scores in enumerate(fleet.scores):
            # plots.py escapes the only foreign text in it, the title
            drawn[(fleet.prefix, scores.device_id)] = Markup(score_timeline(scores, f"t{number}-{place}"))  # noqa: S704
    return drawn


def _coded(text: str) -> Markup:
    """What stands between backticks is set as code."""
    parts = [escape(part) for part in text.split("`")]
    if len(parts) % 2 == 0:
        return escape(text)
    return Markup("").join(Markup("<code>{}</code>").format(part) if n % 2 else part for n, part in enumerate(parts))


def _breakable(text: str) -> Markup:
    """Lets a long name break after its underscores."""
    return Markup("_<wbr>").join(escape(part) for part in text.split("_"))


def _number(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.3g}"


def _moment(value: datetime | None) -> str:
    return "–" if value is None else f"{value:%Y-%m-%d %H:%M}"


def _size(value: int) -> str:
    amount = float(value)
    for unit in ("B", "kB", "MB"):
        if amount < 1000:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1000
    return f"{amount:.1f} GB"
