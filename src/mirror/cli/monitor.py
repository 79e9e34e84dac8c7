"""``mirror monitor``: what monitoring stands on."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext
from mirror.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console


@click.group("monitor")
def command() -> None:
    """What monitoring stands on: the baselines that drift is measured against.

    \b
    Example:
      mirror monitor baseline verify
    """


@command.group("baseline")
def baseline() -> None:
    """Baselines are written with a model version and never overwritten.

    \b
    Example:
      mirror monitor baseline verify /Fleet/air_handler
    """


@baseline.command("verify")
@click.argument("under", required=False, default="", metavar="[UNDER]")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.pass_obj
def verify(context: CliContext, under: str, branch: str | None) -> int:
    """Compute every baseline below UNDER again from the transactions it recorded, and compare bytes.

    Exit code 1 when one differs or can no longer be computed.

    \b
    Examples:
      mirror monitor baseline verify
      mirror monitor baseline verify /Fleet/air_handler --branch release
    """
    from mirror.health.baselines import verify_baselines
    from mirror.spark import start_session

    with context.open_workspace() as workspace:
        wanted = branch or workspace.config.default_branch
        spark = start_session(python_path=[workspace.config.source_root])
        found = verify_baselines(workspace, wanted, spark, under)

    def render(console: Console) -> None:
        if not found:
            console.print("no baseline yet; the first training publishes one")
        for one in found:
            what = f"{one.dataset}  {one.model}  {one.minutes} min  {one.snapshot_id}"
            console.print(f"{one.state:9}  {what}: {one.detail}", markup=False)

    context.emit([asdict(one) for one in found], render)
    return int(ExitCode.DONE if all(one.state == "same" for one in found) else ExitCode.REFUSED)
