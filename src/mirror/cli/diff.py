"""``mirror diff``: what differs between two branches of a dataset."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console

    from mirror.datasets import Workspace


@click.command()
@click.argument("dataset")
@click.option("--from", "before", metavar="BRANCH", help="Old side (default: the workspace's branch).")
@click.option("--to", "after", required=True, metavar="BRANCH", help="New side.")
@click.option("--key", metavar="C,C", help="Columns that identify a row (default: the output's primary_key check).")
@click.pass_obj
def command(ctx: CliContext, dataset: str, before: str | None, after: str, key: str | None) -> None:
    """Compare DATASET on two branches: schema, counts, keys added, removed and changed, and the columns that changed.

    Files that both sides share are not read; without a key only what the catalog knows is compared.

    \b
    Examples:
      mirror diff device_features --to staging
      mirror diff device_alerts --from release --to staging --key alert_id
    """
    from mirror.datasets.diff import diff

    with ctx.open_workspace() as workspace:
        store = workspace.store
        found = store.dataset(dataset)
        old = store.view(found, before or workspace.config.default_branch)
        new = store.view(found, after)
        columns = tuple(key.split(",")) if key else _declared_key(workspace, found.path)
        result = diff(old, new, store.storage, columns)

    def render(console: Console) -> None:
        console.print(f"{found.path}: {old.branch} -> {new.branch}", markup=False)
        if result.identical:
            console.print("identical: the same files with the same schema")
            return
        for sentence in result.schema:
            console.print(f"  {sentence}", markup=False)
        rows = ["?" if count is None else f"{count:,}" for count in result.rows]
        console.print(f"  rows {rows[0]} -> {rows[1]}; files {result.files[0]} -> {result.files[1]}", markup=False)
        if result.keys is None:
            console.print("  rows were not compared: name a key with --key")
            return
        counts = ", ".join(f"{count:,} {what}" for what, count in result.keys.items())
        console.print(f"  by ({', '.join(columns)}): {counts}", markup=False)
        for change in result.columns:
            mean = ""
            if change.mean is not None:
                mean = " mean " + " -> ".join("null" if m is None else f"{m:.6g}" for m in change.mean) + ","
            nulls = f"nulls {change.nulls[0]:,} -> {change.nulls[1]:,}"
            console.print(f"    {change.column}: {change.changed:,} changed,{mean} {nulls}", markup=False)

    ctx.emit(result.to_json(), render)


def _declared_key(workspace: Workspace, path: str) -> tuple[str, ...]:
    """The columns of the first ``primary_key`` check on the output, from the published JobSpecs."""
    from mirror.builds.discovery import published_specs

    for spec in published_specs(workspace, workspace.config.default_branch):
        for param, alias in spec.dataset_outputs():
            if alias != path:
                continue
            for check in param.checks:
                expression = check.split("|", 2)[-1]
                if expression.startswith("E.primary_key("):
                    call = ast.parse(expression, mode="eval").body
                    assert isinstance(call, ast.Call)  # noqa: S101 - the text is one
                    return tuple(str(a.value) for a in call.args if isinstance(a, ast.Constant))
    return ()
