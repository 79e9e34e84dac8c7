"""``mirror show``: a dataset's schema, files and first rows, now or earlier, and the transform that makes it."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

import click

from mirror.cli.context import CliContext, moment

if TYPE_CHECKING:
    from rich.console import Console

    from mirror.builds import JobSpec
    from mirror.datasets import Dataset, Workspace


@click.command()
@click.argument("target")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.option("--at", metavar="TXN|TIME", help="As of a transaction (RID or the start of its id) or an ISO time.")
@click.option("--rows", default=10, show_default=True, type=click.IntRange(min=0), help="Rows to show.")
@click.pass_obj
def command(ctx: CliContext, target: str, branch: str | None, at: str | None, rows: int) -> None:
    """Show TARGET: a dataset's schema, files and first rows (without starting Spark), and what its transform declares.

    A TARGET that was never built, or that is no dataset, is shown by its transform alone. The name of a transform works
    as well.

    \b
    Examples:
      mirror show device_alerts --rows 5
      mirror show clean_sensor_readings --branch staging --at 2026-03-01T00:00:00+00:00
    """
    from mirror.builds.producer import producer
    from mirror.datasets.errors import DatasetNotFoundError

    with ctx.open_workspace() as workspace:
        wanted = branch or workspace.config.default_branch
        try:
            dataset = workspace.store.dataset(target)
        except DatasetNotFoundError:
            made = producer(workspace, target, wanted)
            if made.spec is None:
                raise
            document: dict[str, Any] = {"dataset": None, "target": target, "branch": wanted}
            if len(made.spec.output_paths) == 1:
                # The name of a transform that writes one dataset stands for it.
                with suppress(DatasetNotFoundError):
                    document = _dataset(workspace, workspace.store.dataset(made.spec.output_paths[0]), wanted, at, rows)
        else:
            made = producer(workspace, dataset.path, wanted, exact=True)
            document = _dataset(workspace, dataset, wanted, at, rows)
    document["transform"] = None if made.spec is None else made.spec.to_json()
    document["note"] = made.note

    def render(console: Console) -> None:
        if document["dataset"] is not None:
            _show_dataset(console, document)
        elif made.spec is None or target not in (made.spec.name, made.spec.reference):
            console.print(_without_dataset(target, made.spec), markup=False)
        if made.note:
            console.print(made.note, markup=False)
        if made.spec is not None:
            _show_transform(console, made.spec)

    ctx.emit(document, render)


def _without_dataset(target: str, spec: JobSpec | None) -> str:
    made = {alias: param.kind for param in (spec.resources("output") if spec else ()) for alias in param.aliases}
    kinds = {kind for alias, kind in made.items() if f"/{alias}".endswith("/" + target.lstrip("/"))}
    if "model_output" in kinds:
        return f"{target} is a model: `mirror models list {target}` tells its versions"
    return f"{target} holds nothing yet"


def _dataset(workspace: Workspace, found: Dataset, branch: str, at: str | None, rows: int) -> dict[str, Any]:
    from mirror.datasets.sample import first_rows

    view = workspace.store.view(found, branch, None if at is None else moment(at))
    schema = view.schema
    columns = [] if schema is None else [{"name": f["name"], "type": f["type"]} for f in schema.fields["fields"]]
    return {
        "dataset": found.path,
        "rid": found.rid,
        "spellings": [name for name, path in workspace.store.rids.items() if path == found.path != name],
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
        "sample": first_rows(view, rows),
    }


def _show_dataset(console: Console, document: dict[str, Any]) -> None:
    from rich.markup import escape
    from rich.table import Table

    files, sample = document["files"], document["sample"]
    known = "" if document["rows"] is None else f"{document['rows']:,} rows, "
    size = f"{len(files)} file(s), {document['bytes']:,} bytes"
    console.print(f"{document['dataset']} on {document['branch']}: {known}{size}", markup=False)
    if document["transaction"] is None:
        console.print("nothing committed")
        return
    console.print(f"transaction {document['transaction']} (view of {document['transactions_in_view']})")
    if document["format"] is None:
        for file in files[:20]:
            console.print(f"  {file['path']}  {file['bytes']:,} bytes", markup=False)
        return
    for column in document["columns"]:
        kind = column["type"] if isinstance(column["type"], str) else column["type"]["type"]
        console.print(f"  {column['name']}: {kind}", markup=False)
    if sample:
        table = Table(*map(escape, sample[0]), box=None)
        for row in sample:
            table.add_row(*("null" if value is None else escape(str(value)) for value in row.values()))
        console.print(table)


def _show_transform(console: Console, spec: JobSpec) -> None:
    def say(text: str) -> None:
        console.print(text, markup=False)

    say(f"made by {spec.name} ({spec.source}), {spec.engine}")
    for param in spec.params:
        names = ", ".join(param.aliases) or "-"
        facts = {"branch": param.branch, **param.settings} if param.branch else dict(param.settings)
        # What every declaration says tells nothing about this one.
        told = {name: value for name, value in facts.items() if value not in (None, "", False, "foundry")}
        said = "".join(f", {name}={value}" for name, value in told.items())
        say(f"  {param.direction} {param.name} ({param.kind}): {names}{said}")
        for check in param.checks:
            name, on_error, expectation = check.split("|", 2)
            say(f"    check {name} ({on_error}): {expectation}")
    for name, value in (spec.incremental or {}).items():
        say(f"  incremental {name}: {value}")
    for name, value in spec.recorded.items():
        say(f"  declared for Foundry, recorded here: {name} = {value}")
