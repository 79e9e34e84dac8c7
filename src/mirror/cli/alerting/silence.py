"""``mirror alerts silence``: maintenance, during which nobody is told."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import click

from mirror.cli.context import CliContext

_SPAN = re.compile(r"(\d+)\s*(min|h|d)")
_MINUTES = {"min": 1, "h": 60, "d": 1440}
_FILTERS = ("fleet", "dataset", "metric", "family", "site", "device", "severity", "id")


def _filters(function: Callable[..., None]) -> Callable[..., None]:
    for name in reversed(_FILTERS):
        said = f"Alerts of this {name}; * and ? stand for any."
        function = click.option(f"--{name}", metavar="PATTERN", help=said)(function)
    return function


@click.command("silence")
@_filters
@click.option("--for", "span", metavar="SPAN", help="How long: 30min, 4h, 2d.")
@click.option("--until", metavar="TIME", help="Or until when, ISO 8601 with offset (UTC without one).")
@click.option("--reason", default="", metavar="TEXT", help="Why nobody needs to hear of it.")
@click.option("--by", default="", metavar="NAME", help="Who answers for it.")
@click.option("--end", metavar="ID", help="End this silence now.")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.pass_obj
def command(
    context: CliContext,
    /,
    span: str | None,
    until: str | None,
    reason: str,
    by: str,
    end: str | None,
    branch: str | None,
    **filters: str | None,
) -> None:
    """Hold alerts back that fit every filter given, for at most 30 days. What is still open then is told then.

    \b
    Examples:
      mirror alerts silence --device AHU-1 --for 4h --reason 'belt is being changed' --by Ada
      mirror alerts silence --metric 'VOL-*' --until 2026-03-02T06:00:00+00:00 --reason 'site is off' --by Ada
      mirror alerts silence --end SIL-1
    """
    from mirror.health.delivery import end_silence, keep_silence

    matcher = {name: value for name, value in filters.items() if value}
    if end is not None and (matcher or span or until):
        raise click.UsageError("--end ID stands alone")
    if end is None and (span is None) == (until is None):
        raise click.UsageError("say how long with --for SPAN or --until TIME; a silence without end is forgotten")
    with context.open_workspace() as workspace:
        wanted = branch or workspace.config.default_branch
        if end is not None:
            ended = end_silence(workspace, wanted, end)
            context.emit(ended.to_json(), lambda console: console.print(f"{ended.id} ended"))
            return
        if "severity" in matcher:
            matcher["severity"] = matcher["severity"].upper()
        made = keep_silence(workspace, wanted, matcher, _end(span, until, workspace.clock()), reason, by)
    context.emit(
        made.to_json(),
        lambda console: console.print(f"{made.id} quiet until {made.until:%Y-%m-%d %H:%M} UTC: {made.reason}"),
        markup=False,
    )


def _end(span: str | None, until: str | None, now: datetime) -> datetime:
    if until is not None:
        try:
            found = datetime.fromisoformat(until)
        except ValueError:
            raise click.UsageError(f"--until takes a time such as 2026-03-02T18:00Z, not {until!r}") from None
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    parts = _SPAN.fullmatch(span or "")
    if parts is None:
        raise click.UsageError(f"--for takes a span such as 30min, 4h or 2d, not {span!r}")
    return now + timedelta(minutes=int(parts[1]) * _MINUTES[parts[2]])
