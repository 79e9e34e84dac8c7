"""``mirror preview``: one transform on a sample, nothing stored."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.argument("transform")
@click.option("--branch", metavar="B", help="Read inputs on this branch (default: the workspace's).")
@click.option("--fallback", metavar="B,B", default="", help="Where to read inputs that lack the branch, in order.")
@click.option("--rows", default=10, show_default=True, type=click.IntRange(min=1), help="Rows to show.")
@click.option("--sample", default=1000, show_default=True, type=click.IntRange(min=1), help="Rows read of each input.")
@click.pass_obj
def command(ctx: CliContext, transform: str, branch: str | None, fallback: str, rows: int, sample: int) -> None:
    """Run TRANSFORM (its name, or a dataset it makes) on the first rows of its inputs; never incrementally.

    Its checks are judged on those rows and block nothing. Starts Spark for single-node transforms too, which cuts the
    inputs and judges the checks.

    \b
    Examples:
      mirror preview device_features
      mirror preview hottest --rows 5 --sample 1000
    """
    from mirror.builds import publish
    from mirror.builds.preview import preview
    from mirror.cli.build import binders, session_on_demand
    from mirror.cli.progress.driver_log import driver_log

    with ctx.open_workspace() as workspace, driver_log(ctx.progress(), as_json=ctx.as_json):
        wanted = branch or workspace.config.default_branch
        found = preview(
            workspace,
            publish(workspace, wanted),
            transform,
            branch=wanted,
            fallbacks=tuple(filter(None, fallback.split(","))),
            rows=rows,
            sample=sample,
            spark=session_on_demand(workspace, ctx.progress(), None),
            binders=binders(workspace),
        )

    def render(console: Console) -> None:
        from rich.table import Table

        for output in found.outputs:
            console.print(f"{output.dataset} ({output.parameter}): {len(output.rows)} row(s) shown, nothing stored")
            table = Table(*(f"{name}\n{kind}" for name, kind in output.columns.items()), box=None)
            for row in output.rows:
                table.add_row(*("null" if row[name] is None else str(row[name]) for name in output.columns))
            console.print(table)
        for check in found.checks:
            console.print(f"{check.outcome} {check.name} ({check.side} {check.dataset}): {check.document['detail']}")

    outputs = [{"dataset": o.dataset, "columns": dict(o.columns), "rows": list(o.rows)} for o in found.outputs]
    checks = [{"dataset": c.dataset, "side": c.side, **c.document} for c in found.checks]
    ctx.emit({"outputs": outputs, "checks": checks}, render, markup=False)
