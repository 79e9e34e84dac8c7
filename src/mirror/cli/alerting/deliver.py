"""``mirror alerts deliver``: whoever has to hear of a change is told."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext
from mirror.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from mirror.health.delivery import Delivery


@click.command("deliver")
@click.option("--dry-run", is_flag=True, help="Print what would be sent or held back; write and send nothing.")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.pass_obj
def command(context: CliContext, dry_run: bool, branch: str | None) -> ExitCode:
    """Send what changed since the last time, and what could not be sent before. Run it after each build, or by a timer.

    Sinks are set up in the workspace's config.toml; a channel that none serves is printed. Exit code 1 when a message
    is kept because no sink took it.

    \b
    Examples:
      mirror alerts deliver --dry-run
      mirror build && mirror alerts deliver
    """
    from mirror.health import require_branch
    from mirror.health.delivery import deliver, preview
    from mirror.health.delivery.sinks import Surroundings, read_sinks
    from mirror.health.routing_file import load_routing

    with context.open_workspace() as workspace:
        wanted = require_branch(workspace.store, branch or workspace.config.default_branch)
        routing = load_routing(workspace.config.repository)
        # With --json stdout holds one document, so what would be printed leaves beside it.
        around = Surroundings(os.environ, workspace.path, lambda text: click.echo(text, nl=False, err=context.as_json))
        sinks = read_sinks(workspace.config.alerts, routing, around)
        if dry_run:
            found = preview(workspace, wanted, routing, sinks)
        else:
            found = deliver(workspace, wanted, routing, sinks, time.sleep)
    context.emit(found.to_json(), lambda console: _print(console, found, dry_run), markup=False)
    return ExitCode.REFUSED if found.kept and not dry_run else ExitCode.DONE


def _print(console: Console, found: Delivery, dry_run: bool) -> None:
    for sink, sent in found.delivered:
        told = ", ".join(sent.recipients)
        console.print(f"{'would send' if dry_run else 'sent'} to {sink} for {told}: {sent.subject}")
    for one in found.held:
        console.print(f"held back: {one.concern.severity} {one.concern.title} ({one.concern.id}): {one.why}")
    for kept in found.kept:
        console.print(f"not delivered to {kept.sink}, kept: {kept.message.subject}: {kept.error or 'not tried yet'}")
    if not (found.delivered or found.held or found.kept):
        console.print("nothing new")
