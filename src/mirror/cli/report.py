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
@click.option("--serve", is_flag=True, help="Serve it on this machine instead, made anew as the workspace changes.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8765, show_default=True, help="For --serve; 0: any free."
)
@click.pass_obj
def command(context: CliContext, out: Path | None, branch: str | None, serve: bool, port: int) -> None:
    """Write one self-contained HTML file for operations, data science and management, with lineage and checks.

    \b
    Examples:
      mirror report
      mirror report --out /tmp/report --branch release
      mirror report --serve --port 0
    """
    from mirror.report import collect, write_report

    if serve:
        if out is not None:
            raise click.UsageError("--out and --serve exclude each other")
        _serve(context, branch, port)
        return

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


def _serve(context: CliContext, branch: str | None, port: int) -> None:
    """Until interrupted. A branch that nothing was written to is refused before the port is opened."""
    from mirror.clock import system_clock
    from mirror.health import require_branch
    from mirror.report import collect, render
    from mirror.report.live import LiveReport

    with context.open_workspace() as workspace:
        wanted = require_branch(workspace.store, branch or workspace.config.default_branch)

    def page() -> str:
        with context.open_workspace() as own:
            return render(collect(own, wanted))

    with LiveReport(page, port, system_clock) as server:
        click.echo(f"the report on {wanted} is at {server.url} (Ctrl+C ends it)")
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            click.echo("ended", err=True)


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
