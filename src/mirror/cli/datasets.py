"""``mirror datasets``: what exists."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.option("--branch", metavar="B", help="Show this branch where a dataset has it (default: the workspace's).")
@click.pass_obj
def command(ctx: CliContext, branch: str | None) -> None:
    """List every dataset: branches, rows, files, newest transaction.

    \b
    Examples:
      mirror datasets
      mirror datasets --branch staging
      mirror --json datasets
    """
    with ctx.open_workspace() as workspace:
        wanted = branch or workspace.config.default_branch
        entries = []
        for dataset in workspace.store.datasets():
            names = [b.name for b in workspace.store.branches(dataset)]
            entry: dict[str, Any] = {"dataset": dataset.path, "rid": dataset.rid, "branches": names}
            if wanted in names:
                view = workspace.store.view(dataset, wanted)
                entry |= {
                    "branch": wanted,
                    "rows": view.rows,
                    "files": len(view.files),
                    "bytes": view.size,
                    "format": view.schema.format if view.schema else ("raw" if view.files else None),
                    "transaction": view.end_rid,
                }
            entries.append(entry)

    def render(console: Console) -> None:
        from rich.table import Table

        from mirror.datasets.ids import short

        if not entries:
            console.print("no datasets yet; `mirror ingest /its/path FILE` makes one")
            return
        table = Table("dataset", "branch", "rows", "files", "format", "transaction", "other branches", box=None)
        for entry in entries:
            others = [name for name in entry["branches"] if name != wanted]
            table.add_row(
                entry["dataset"],
                entry.get("branch", "-"),
                _number(entry.get("rows")),
                _number(entry.get("files")),
                entry.get("format") or "-",
                short(entry.get("transaction") or "-"),
                ", ".join(others),
            )
        console.print(table)

    ctx.emit(entries, render, markup=False)


def _number(value: int | None) -> str:
    return "-" if value is None else f"{value:,}"
