"""``mirror branches``: dataset branches: list, create, delete, protect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console


@click.group(invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Dataset branches. Branches of data are never merged: promote logic, then rebuild.

    \b
    Examples:
      mirror branches list
      mirror branches create clean_sensor_readings feature/flow --from master
    """
    if ctx.invoked_subcommand is None:
        ctx.invoke(list_branches)


@command.command("list")
@click.argument("dataset", required=False)
@click.pass_obj
def list_branches(ctx: CliContext, dataset: str | None = None) -> None:
    """List the branches of DATASET, or of all.

    \b
    Examples:
      mirror branches list
      mirror branches list clean_sensor_readings
    """
    with ctx.open_workspace() as workspace:
        store = workspace.store
        datasets = [store.dataset(dataset)] if dataset else store.datasets()
        entries: list[dict[str, Any]] = [
            {"dataset": d.path, "branch": b.name, "parent": b.parent, "head": b.head, "protected": b.protected}
            for d in datasets
            for b in store.branches(d)
        ]

    def render(console: Console) -> None:
        from rich.table import Table

        from mirror.datasets.ids import short

        table = Table("dataset", "branch", "parent", "head", "", box=None)
        for e in entries:
            head = short(e["head"] or "-")
            table.add_row(e["dataset"], e["branch"], e["parent"] or "-", head, "protected" if e["protected"] else "")
        console.print(table)

    ctx.emit(entries, render, markup=False)


@command.command("create")
@click.argument("dataset")
@click.argument("branch")
@click.option("--from", "parent", metavar="B", help="Start at this branch's newest transaction (default: empty).")
@click.option("--at", metavar="TXN", help="With --from: start at this transaction of its history.")
@click.pass_obj
def create(ctx: CliContext, dataset: str, branch: str, parent: str | None, at: str | None) -> None:
    """Create BRANCH on DATASET; it costs nothing and copies no data.

    \b
    Example:
      mirror branches create clean_sensor_readings feature/flow --from master
    """
    with ctx.open_workspace() as workspace:
        found = workspace.store.dataset(dataset)
        made = workspace.store.create_branch(found, branch, parent=parent, at=at)
    document = {"dataset": found.path, "branch": made.name, "parent": made.parent, "head": made.head}
    origin = f" from {made.parent}" if made.parent else " as a root"
    ctx.emit(document, lambda console: console.print(f"{found.path}: branch {made.name} created{origin}"), markup=False)


@command.command("delete")
@click.argument("dataset")
@click.argument("branch")
@click.pass_obj
def delete(ctx: CliContext, dataset: str, branch: str) -> None:
    """Remove BRANCH from DATASET: the pointer only; transactions stay, children get its parent.

    \b
    Example:
      mirror branches delete clean_sensor_readings feature/flow
    """
    with ctx.open_workspace() as workspace:
        found = workspace.store.dataset(dataset)
        workspace.store.delete_branch(found, branch)
    document = {"dataset": found.path, "branch": branch}
    ctx.emit(
        document,
        lambda console: console.print(f"{found.path}: branch {branch} deleted; its transactions stay"),
        markup=False,
    )


@command.command("protect")
@click.argument("dataset")
@click.argument("branch")
@click.option("--off", is_flag=True, help="Take the protection away.")
@click.pass_obj
def protect(ctx: CliContext, dataset: str, branch: str, off: bool) -> None:
    """Keep BRANCH of DATASET from being deleted or rolled back.

    \b
    Examples:
      mirror branches protect clean_sensor_readings release
      mirror branches protect clean_sensor_readings release --off
    """
    with ctx.open_workspace() as workspace:
        found = workspace.store.dataset(dataset)
        workspace.store.protect_branch(found, branch, not off)
    state = "no longer protected" if off else "protected"
    document = {"dataset": found.path, "branch": branch, "protected": not off}
    ctx.emit(document, lambda console: console.print(f"{found.path}: branch {branch} is {state}"), markup=False)
