"""``mirror alerts``: what is open, who is told, and what they do first."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console

    from mirror.health import AlertBook, EquipmentAlert, QualityAlert


@click.command("alerts")
@click.argument("under", default="")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.option(
    "--severity", type=click.Choice(["CRITICAL", "HIGH", "MEDIUM", "LOW"], case_sensitive=False), help="Only these."
)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Alerts printed per section.")
@click.pass_obj
def command(context: CliContext, under: str, branch: str | None, severity: str | None, limit: int) -> None:
    """Open alerts below UNDER (a folder; default: all), in two sections that never mix.

    Quality alerts are about data, models and the pipeline; equipment alerts are about machines.
    """
    from mirror.health import AlertBook, read_alerts, require_branch

    with context.open_workspace() as workspace:
        wanted = require_branch(workspace.store, branch or workspace.config.default_branch)
        book = read_alerts(workspace.store, wanted, under=under)
    if severity is not None:
        level = severity.upper()
        book = AlertBook(
            tuple(alert for alert in book.quality if alert.severity == level),
            tuple(alert for alert in book.equipment if alert.severity == level),
        )
    context.emit({"branch": wanted, **book.to_json()}, lambda console: _print(console, book, wanted, limit))


def _print(console: Console, book: AlertBook, branch: str, limit: int) -> None:
    console.print(f"[bold]Quality alerts[/bold] on {branch}: {_counts(book.quality)}")
    for quality in book.quality[:limit]:
        _quality(console, quality)
    _rest(console, len(book.quality), limit)
    console.print(f"\n[bold]Equipment alerts[/bold] on {branch}: {_counts(book.equipment)}")
    for equipment in book.equipment[:limit]:
        _equipment(console, equipment)
    _rest(console, len(book.equipment), limit)


def _quality(console: Console, alert: QualityAlert) -> None:
    from rich.markup import escape

    since = f", raised {alert.times} times since {_moment(alert.first_raised_at)}" if alert.times > 1 else ""
    about = f"{alert.dimension}  " if alert.dimension else ""
    lines = (
        f"\n{alert.severity}  {alert.metric_id}  {alert.dataset}  {about}({alert.family})",
        f"  observed     {alert.observed}, limit {alert.threshold}",
        f"  why it is    {alert.reason}" if alert.reason else "",
        f"  owner        {alert.owner}",
        f"  told         {alert.rotation} in {alert.channel}",
        f"  acknowledge  {alert.acknowledge}; escalates: {alert.escalation}",
        f"  do           {alert.runbook_id}: {alert.runbook_step}",
        f"  raised       {_moment(alert.raised_at)}{since}",
    )
    for line in lines:
        if line:
            console.print(escape(line))


def _equipment(console: Console, alert: EquipmentAlert) -> None:
    from rich.markup import escape

    deadline = f"by {_moment(alert.acknowledge_by)}" if alert.acknowledge_by else f"within {alert.acknowledge}"
    lines = (
        f"\n{alert.severity}  {alert.device_id}  {alert.title}",
        f"  why          {alert.description}" if alert.description else "",
        f"  owner        {alert.owner}",
        f"  told         {alert.rotation} in {alert.channel}, {alert.escalation_level}",
        f"  acknowledge  {deadline}; escalates: {alert.escalation}",
        f"  do           {alert.step}",
        f"  raised       {_moment(alert.created_at)} by {alert.model_id}, status {alert.status}",
    )
    for line in lines:
        if line:
            console.print(escape(line))


def _counts(alerts: Iterable[QualityAlert | EquipmentAlert]) -> str:
    from mirror.health.alerts import counts

    found = {severity: count for severity, count in counts(alerts).items() if count}
    return ", ".join(f"{count} {severity}" for severity, count in found.items()) or "none open"


def _rest(console: Console, total: int, limit: int) -> None:
    if total > limit:
        console.print(f"\n{total - limit} more; --limit {total} prints all")


def _moment(value: datetime | None) -> str:
    return "-" if value is None else f"{value:%Y-%m-%d %H:%M} UTC"
