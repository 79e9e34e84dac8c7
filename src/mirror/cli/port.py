"""``mirror port``: the trees that go to Foundry, and the lint that says what would not run there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from mirror.cli.context import CliContext
from mirror.errors import ExitCode

if TYPE_CHECKING:
    from mirror.porting.port import PortedRepository
    from mirror.porting.rules import Finding


@click.command()
@click.option("--out", metavar="DIR", help="Write the Foundry repositories below this folder.")
@click.option("--check", is_flag=True, help="Only look for what would not run, or not mean the same, in Foundry.")
@click.option("--repo", default=".", show_default=True, metavar="DIR", help="The folder that holds transforms-python.")
@click.option("--source", metavar="DIR", help="Its sub-project to port, where several declare a pipeline.")
@click.pass_obj
def command(context: CliContext, out: str | None, check: bool, repo: str, source: str | None) -> int:
    """Write what is pushed to Foundry, or check that it can be.

    Paths become RIDs where the workspace's aliases or transforms-shrinkwrap.yml know one; the workspace also tells the
    sub-project when --repo is the repository it was made for. Both forms check first; with
    a finding nothing is written.

    \b
    Examples:
      mirror port --check
      mirror port --out build/foundry

    Exit code 1: findings. 2: the folder holds something else, or the repository cannot be read.
    """
    from mirror.porting.check import check_guest
    from mirror.porting.port import port

    if check == (out is not None):
        raise click.UsageError("give either --check or --out DIR.")
    repository = Path(repo)
    aliases, chosen = _from_workspace(context, repository)
    source = source or chosen
    findings, looked_at = check_guest(repository, source)
    if findings or out is None:
        document = {"files": looked_at, "findings": [finding.to_json() for finding in findings]}
        context.emit(document, lambda console: _print_findings(console, findings, looked_at))
        return int(ExitCode.REFUSED if findings else ExitCode.DONE)
    ported = port(repository, Path(out), _rids(aliases, repository), source)
    context.emit({"out": out, "repositories": [p.to_json() for p in ported]}, lambda c: _print_ported(c, out, ported))
    return int(ExitCode.DONE)


def _from_workspace(context: CliContext, repository: Path) -> tuple[Mapping[str, str], str | None]:
    """The workspace's aliases (RID -> path), and the source root it takes of this repository."""
    from mirror.datasets.errors import WorkspaceNotFoundError

    try:
        with context.open_workspace() as workspace:
            config = workspace.config
            same = config.repository.resolve() == repository.resolve()
            return config.aliases, config.source if same else None
    except WorkspaceNotFoundError:
        context.progress().print(f"no workspace at {context.workspace_path}: its aliases are not used", markup=False)
        return {}, None


def _rids(aliases: Mapping[str, str], repository: Path) -> dict[str, str]:
    """Alias -> RID; the workspace's own spellings win over the file in the repository."""
    from mirror.datasets.guest import shrinkwrap

    pairs = [*shrinkwrap(repository).items(), *aliases.items()]
    return {alias: rid for rid, alias in pairs if rid.startswith("ri.")}


def _print_findings(console: Console, findings: list[Finding], looked_at: int) -> None:
    for finding in findings:
        console.print(str(finding), markup=False)
    verdict = f"{len(findings)} findings" if findings else "nothing found"
    console.print(f"{verdict} in {looked_at} files", markup=False)


def _print_ported(console: Console, out: str, ported: list[PortedRepository]) -> None:
    for repository in ported:
        console.print(
            f"{out}/{repository.folder}: {repository.files} files, entry point {repository.entry}", markup=False
        )
        if repository.unmapped:
            console.print(f"  {len(repository.unmapped)} paths have no RID yet; PORTING.md lists them", markup=False)
        for line in repository.left_behind:
            console.print(f"  left behind: {line}", markup=False)
