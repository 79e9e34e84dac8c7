"""``mirror report``: one HTML file that shows how the fleet and its pipeline are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console

    from mirror.health import EquipmentAlert, QualityAlert
    from mirror.report.snapshot import FleetSection


@click.command("report")
@click.option(
    "--out", type=click.Path(path_type=Path), help="Folder for report.html (default: report/ in the workspace)."
)
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.pass_obj
def command(context: CliContext, out: Path | None, branch: str | None) -> None:
    """Write one self-contained HTML file: lineage, rows, quarantine, checks, scores, alerts, models."""
    from mirror.report import collect, write_report

    with context.open_workspace() as workspace:
        snapshot = collect(workspace, branch)
        path = write_report(snapshot, out or workspace.path / "report")
    verdicts = snapshot.check_counts()
    document = {
        "report": str(path),
        "branch": snapshot.branch,
        "datasets": len(snapshot.datasets),
        "checks": verdicts,
        "fleets": {
            fleet.prefix: {
                "rows": {count.name: count.rows for count in fleet.flow},
                "set_aside": {count.name: count.rows for count in fleet.reasons},
                "equipment_alerts_raised": {count.name: count.rows for count in fleet.raised},
                "equipment_alerts_open": _by_severity(fleet.alerts.equipment),
                "quality_alerts_open": _by_severity(fleet.alerts.quality),
            }
            for fleet in snapshot.fleets
        },
    }
    context.emit(document, lambda console: _print(console, snapshot.fleets, path))


def _by_severity(alerts: Iterable[EquipmentAlert | QualityAlert]) -> dict[str, int]:
    return dict(Counter(alert.severity for alert in alerts))


def _print(console: Console, fleets: Iterable[FleetSection], path: Path) -> None:
    def line(title: str, counts: Mapping[str, int | None]) -> None:
        said = ", ".join(f"{rows:,} {name}" for name, rows in counts.items() if rows)
        console.print(f"  {title:<26}{said or 'none'}", markup=False)

    for fleet in fleets:
        console.print(f"{fleet.prefix}", markup=False)
        line("rows set aside, by reason", {count.name: count.rows for count in fleet.reasons})
        line("equipment alerts raised", {count.name: count.rows for count in fleet.raised})
        line("equipment alerts open", _by_severity(fleet.alerts.equipment))
        line("quality alerts open", _by_severity(fleet.alerts.quality))
    console.print(f"report: {path}", markup=False)
