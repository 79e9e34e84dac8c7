"""``mirror alerts ack``: somebody says that they saw an alert."""

from __future__ import annotations

import click

from mirror.cli.context import CliContext


@click.command("ack")
@click.argument("alert", metavar="ID")
@click.option("--by", required=True, metavar="NAME", help="Who works on it.")
@click.option("--note", default="", metavar="TEXT", help="What is being done.")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.pass_obj
def command(context: CliContext, alert: str, by: str, note: str, branch: str | None) -> None:
    """Acknowledge the alert ID (or the start of an id, as `mirror alerts list` shows it).

    It escalates no further, until it becomes more severe than anybody was told.

    \b
    Example:
      mirror alerts ack 3f9a --by 'Ada' --note 'filter is being changed'
    """
    from mirror.health.delivery import acknowledge

    with context.open_workspace() as workspace:
        state = acknowledge(workspace, branch or workspace.config.default_branch, alert, by, note)
    title = str((state.alert or {}).get("title", ""))
    context.emit(state.to_json(), lambda console: console.print(f"{state.id} {title}: {by} works on it"), markup=False)
