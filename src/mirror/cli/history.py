"""``mirror history``: what happened to a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.argument("dataset")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.pass_obj
def command(ctx: CliContext, dataset: str, branch: str | None) -> None:
    """List the transactions of DATASET, oldest first; aborted and rolled back ones included.

    \b
    Examples:
      mirror history clean_sensor_readings
      mirror history device_alerts --branch release
    """
    with ctx.open_workspace() as workspace:
        found = workspace.store.dataset(dataset)
        wanted = branch or workspace.config.default_branch
        rolled_back = workspace.store.rolled_back(found, wanted)
        entries: list[dict[str, Any]] = [
            {
                "sequence": t.sequence,
                "transaction": t.rid,
                "type": t.type.value,
                "status": t.status.value,
                "rolled_back": t.rid in rolled_back,
                "branch": t.branch,
                "opened_at": t.opened_at.isoformat(),
                "closed_at": t.closed_at.isoformat() if t.closed_at else None,
                **counts,
            }
            for t, counts in workspace.store.history_with_counts(found, wanted)
        ]

    def render(console: Console) -> None:
        from rich.table import Table

        from mirror.datasets.ids import short

        table = Table("#", "transaction", "type", "status", "branch", "files", "rows", "closed", box=None)
        for e in entries:
            status = "ROLLED BACK" if e["rolled_back"] else e["status"]
            style = {"ABORTED": "strike dim", "ROLLED BACK": "strike dim", "OPEN": "bold"}.get(status, "")
            rows = "-" if e["rows"] is None else f"{e['rows']:,}"
            name = short(e["transaction"])
            closed = (e["closed_at"] or "-")[:19]
            number = str(e["sequence"])
            table.add_row(
                number,
                name,
                e["type"],
                status,
                e["branch"],
                str(e["files"]),
                rows,
                closed,
                style=style,
            )
        console.print(f"{found.path} on {wanted}")
        console.print(table)

    ctx.emit({"dataset": found.path, "branch": wanted, "transactions": entries}, render, markup=False)
