"""``mirror show``: the schema, the files and the first rows of a dataset, now or at an earlier time."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.argument("dataset")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.option("--at", metavar="TXN|TIME", help="As of a transaction (RID or the start of its id) or an ISO time.")
@click.option("--rows", default=10, show_default=True, type=click.IntRange(min=0), help="Rows to show.")
@click.pass_obj
def command(ctx: CliContext, dataset: str, branch: str | None, at: str | None, rows: int) -> None:
    """Show DATASET: schema, files, and its first rows (without starting Spark)."""
    from mirror.datasets.sample import first_rows

    with ctx.open_workspace() as workspace:
        found = workspace.store.dataset(dataset)
        wanted = branch or workspace.config.default_branch
        view = workspace.store.view(found, wanted, _moment(at))
        sample = first_rows(view, rows)
    schema = view.schema
    columns = [] if schema is None else [{"name": f["name"], "type": f["type"]} for f in schema.fields["fields"]]
    document = {
        "dataset": found.path,
        "rid": found.rid,
        "branch": view.branch,
        "transaction": view.end_rid,
        "view_starts_at": view.start_rid,
        "transactions_in_view": len(view.transactions),
        "rows": view.rows,
        "bytes": view.size,
        "format": schema.format if schema else None,
        "options": dict(schema.options) if schema else {},
        "partition_columns": list(schema.path_columns) if schema else [],
        "layout": dict(schema.layout) if schema else {},
        "columns": columns,
        "files": [{"path": f.path, "bytes": f.size, "rows": f.rows, "sha256": f.sha256} for f in view.files],
        "sample": sample,
    }

    def render(console: Console) -> None:
        from rich.table import Table

        known = "" if view.rows is None else f"{view.rows:,} rows, "
        console.print(f"{found.path} on {view.branch}: {known}{len(view.files)} file(s), {view.size:,} bytes")
        if view.end_rid is None:
            console.print("nothing committed")
            return
        console.print(f"transaction {view.end_rid} (view of {len(view.transactions)})")
        if schema is None:
            for file in view.files[:20]:
                console.print(f"  {file.path}  {file.size:,} bytes")
            return
        for column in columns:
            kind = column["type"] if isinstance(column["type"], str) else column["type"]["type"]
            console.print(f"  {column['name']}: {kind}")
        if sample:
            table = Table(*sample[0], box=None)
            for row in sample:
                table.add_row(*("null" if value is None else str(value) for value in row.values()))
            console.print(table)

    ctx.emit(document, render)


def _moment(at: str | None) -> str | datetime | None:
    if at is None:
        return None
    try:
        return datetime.fromisoformat(at)
    except ValueError:
        return at
