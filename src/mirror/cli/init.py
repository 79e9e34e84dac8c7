"""``mirror init``: a workspace for a transforms repository."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.option("--repo", default=".", show_default=True, metavar="DIR", help="The transforms repository.")
@click.option("--profile", "profile", metavar="FILE", help="Fleet profile to copy into the repository.")
@click.option("--catalog", metavar="URL", help="Where the catalog lies (default: SQLite inside the workspace).")
@click.pass_obj
def command(ctx: CliContext, repo: str, profile: str | None, catalog: str | None) -> None:
    """Create a workspace (once), and optionally add a fleet profile."""
    from mirror.datasets.profiles import add_profile
    from mirror.datasets.workspace import CONFIG_FILE, DEFAULT_CATALOG, Workspace

    path = Path(ctx.workspace_path)
    existed = (path / CONFIG_FILE).is_file()
    with Workspace.create(path, repository=Path(repo), catalog_url=catalog or DEFAULT_CATALOG) as workspace:
        copied = add_profile(workspace, Path(profile)) if profile else None
        document = {
            "workspace": str(workspace.path),
            "repository": str(workspace.config.repository),
            "catalog": workspace.catalog.label,
            "created": not existed,
            "profile": str(copied) if copied else None,
        }

    def render(console: Console) -> None:
        said = "already initialised" if existed else "created"
        console.print(f"workspace {document['workspace']}: {said} (repository {document['repository']})")
        if copied:
            console.print(f"profile {copied}: in place; `mirror build` builds its datasets")

    ctx.emit(document, render)
