"""``mirror lineage``: which datasets and transforms stand before and behind one another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.argument("dataset", required=False)
@click.option("--branch", metavar="B", help="JobSpecs of this branch (default: the workspace's).")
@click.pass_obj
def command(ctx: CliContext, dataset: str | None, branch: str | None) -> None:
    """Show how data flows; with DATASET, only what stands before and behind it.

    \b
    Examples:
      mirror lineage
      mirror lineage device_alerts
    """
    from mirror.builds import publish
    from mirror.builds.errors import UnknownTargetError
    from mirror.builds.lineage import lineage

    with ctx.open_workspace() as workspace:
        found = lineage(publish(workspace, branch or workspace.config.default_branch).specs)
        if dataset is not None:
            name = workspace.store.rids.get(dataset, dataset)
            paths = [n.path for n in found.nodes]
            matching = [p for p in paths if p == name] or [p for p in paths if p.endswith("/" + name.lstrip("/"))]
            if len(matching) != 1:
                raise UnknownTargetError(dataset, tuple(paths))
            found = found.around(matching)

    def render(console: Console) -> None:
        for node in found.nodes:
            before = dict.fromkeys(a for a, _, b in found.edges if b == node.path)
            made = f"  <- {node.made_by}" if node.made_by else "  (from outside)"
            kind = "" if node.kind == "dataset" else f" [{node.kind}]"
            console.print(f"{node.path}{kind}{made}", markup=False)
            for path in before:
                console.print(f"    reads {path}", markup=False)

    ctx.emit(found.to_json(), render)
