"""``mirror alerts deliver``: whoever has to hear of a change is told, once or on a schedule."""

from __future__ import annotations

import os
import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext
from mirror.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from mirror.health.delivery import Delivery

_SPAN = re.compile(r"(\d+)\s*(s|min|h)")
_SECONDS = {"s": 1, "min": 60, "h": 3600}


@click.command("deliver")
@click.option("--dry-run", is_flag=True, help="Print what would be sent or held back; write and send nothing.")
@click.option("--every", metavar="SPAN", help="Go on, with a round every 30s, 5min or 1h, until SIGTERM or Ctrl-C.")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.pass_obj
def command(context: CliContext, dry_run: bool, every: str | None, branch: str | None) -> ExitCode:
    """Send what changed since the last time, and what could not be sent before. Run it after each build, or by a timer.

    Sinks are set up in the workspace's config.toml; a channel that none serves is printed. Exit code 1 when a message
    is kept because no sink took it. With --every a round that fails is told on stderr and the next one is tried; the
    exit code is that of the last round.

    \b
    Examples:
      mirror alerts deliver --dry-run
      mirror build && mirror alerts deliver
      mirror alerts deliver --every 60s
    """
    if every is None:
        return _tell(context, _once(context, branch, dry_run), dry_run)
    if dry_run:
        raise click.UsageError("--dry-run prints one round; leave --every away")
    return _scheduled(context, branch, _seconds(every))


def _once(context: CliContext, branch: str | None, dry_run: bool) -> Delivery:
    from mirror.health import require_branch
    from mirror.health.delivery import deliver, preview
    from mirror.health.delivery.sinks import Surroundings, read_sinks
    from mirror.health.routing_file import load_routing

    with context.open_workspace() as workspace:
        wanted = require_branch(workspace.store, branch or workspace.config.default_branch)
        routing = load_routing(workspace.config.repository)
        # With --json stdout holds documents only, so what would be printed leaves beside them.
        around = Surroundings(os.environ, workspace.path, lambda text: click.echo(text, nl=False, err=context.as_json))
        sinks = read_sinks(workspace.config.alerts, routing, around)
        if dry_run:
            return preview(workspace, wanted, routing, sinks)
        return deliver(workspace, wanted, routing, sinks, time.sleep)


def _scheduled(context: CliContext, branch: str | None, seconds: float) -> ExitCode:
    """Rounds in which nothing was sent, held back or kept otherwise than in the one before are not told again."""
    from mirror.health.delivery import rounds

    ended, before = ExitCode.DONE, ""
    with _asked_to_end() as asked:
        for one in rounds(lambda: _once(context, branch, False), seconds, time.monotonic, asked.wait):
            if one.delivery is None:
                click.echo(f"error: {one.error}; trying again in {seconds:g} s", err=True)
                ended, before = ExitCode.REFUSED, ""
                continue
            ended = ExitCode.REFUSED if one.delivery.kept else ExitCode.DONE
            said = "\n".join(_words(one.delivery, False))
            if one.delivery.delivered or said != before:
                _tell(context, one.delivery, False)
            before = said
    return ended


@contextmanager
def _asked_to_end() -> Iterator[threading.Event]:
    """Set by SIGTERM or Ctrl-C; a round that runs is finished first, so that nothing is sent twice."""
    asked = threading.Event()
    handled = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, lambda *_: asked.set()) for number in handled}
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _seconds(span: str) -> float:
    parts = _SPAN.fullmatch(span)
    seconds = int(parts[1]) * _SECONDS[parts[2]] if parts else 0
    if seconds < 1:
        raise click.UsageError(f"--every takes a span such as 30s, 5min or 1h, not {span!r}")
    return seconds


def _tell(context: CliContext, found: Delivery, dry_run: bool) -> ExitCode:
    def render(console: Console) -> None:
        for line in _words(found, dry_run):
            console.print(line)

    context.emit(found.to_json(), render, markup=False)
    return ExitCode.REFUSED if found.kept and not dry_run else ExitCode.DONE


def _words(found: Delivery, dry_run: bool) -> list[str]:
    lines = []
    for sink, sent in found.delivered:
        told = ", ".join(sent.recipients)
        lines.append(f"{'would send' if dry_run else 'sent'} to {sink} for {told}: {sent.subject}")
    for one in found.held:
        lines.append(f"held back: {one.concern.severity} {one.concern.title} ({one.concern.id}): {one.why}")
    for kept in found.kept:
        lines.append(f"not delivered to {kept.sink}, kept: {kept.message.subject}: {kept.error or 'not tried yet'}")
    return lines or ["nothing new"]
