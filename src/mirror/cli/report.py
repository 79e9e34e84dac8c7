"""``mirror report``: one HTML file that shows how the fleet and its pipeline are."""

from __future__ import annotations

from pathlib import Path

import click

from mirror.cli.context import CliContext


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
        "fleets": [fleet.prefix for fleet in snapshot.fleets],
    }
    context.emit(document, lambda console: console.print(str(path)))
