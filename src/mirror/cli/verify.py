"""``mirror verify``: does the disk hold what the catalog says?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext
from mirror.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.argument("dataset", required=False)
@click.option("--quick", is_flag=True, help="Look at presence and size only, not at checksums.")
@click.pass_obj
def command(ctx: CliContext, dataset: str | None, quick: bool) -> int:
    """Find missing and altered files (of DATASET, or of all) and say what to rebuild. Exit 1 when there are any.

    \b
    Examples:
      mirror verify
      mirror verify clean_sensor_readings --quick
    """
    from mirror.builds.discovery import published_specs
    from mirror.datasets.verify import verify

    with ctx.open_workspace() as workspace:
        found = verify(workspace.store, workspace.store.dataset(dataset) if dataset else None, checksums=not quick)
        default = workspace.config.default_branch
        made = {path for spec in published_specs(workspace, default) for path in spec.output_paths} if found else set()
    entries = []
    for damage in found:
        if not damage.in_view_of:
            remedy = "an old version; nothing that is read now needs it"
        elif damage.dataset in made:
            remedy = f"mirror build {damage.dataset} --branch {damage.in_view_of[0]} --force"
        else:
            branch = damage.in_view_of[0]
            remedy = f"mirror ingest {damage.dataset} {damage.path} --type update --branch {branch}"
        entries.append({**vars(damage), "in_view_of": list(damage.in_view_of), "remedy": remedy})

    def render(console: Console) -> None:
        for entry in entries:
            where = f"{entry['dataset']} ({entry['branch']})"
            console.print(f"{where}: {entry['path']} {entry['problem']}; {entry['remedy']}", markup=False)
        console.print(f"{len(entries)} damaged file(s)" if entries else "every file is as it was committed")

    ctx.emit(entries, render)
    return int(ExitCode.REFUSED if entries else ExitCode.DONE)
