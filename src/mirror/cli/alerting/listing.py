"""``mirror alerts list``: what is open, what was told, who works on it, and what is not delivered."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console

    from mirror.health import AlertBook, EquipmentAlert, QualityAlert
    from mirror.health.delivery import AlertState, Silence, Waiting


@click.command("list")
@click.argument("under", default="")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.option(
    "--severity", type=click.Choice(["CRITICAL", "HIGH", "MEDIUM", "LOW"], case_sensitive=False), help="Only these."
)
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True, help="Alerts printed per section.")
@click.pass_obj
def command(context: CliContext, under: str, branch: str | None, severity: str | None, limit: int) -> None:
    """Open alerts below UNDER (a folder; default: all), in two sections that never mix.

    \b
    Examples:
      mirror alerts list
      mirror alerts list /Fleet/air_handler --severity CRITICAL --severity HIGH --limit 50
    """
    from mirror.health import AlertBook, read_alerts, require_branch
    from mirror.health.delivery import alert_states, silences, waiting
    from mirror.health.delivery.concerns import concern_id
    from mirror.health.delivery.states import NOBODY
    from mirror.health.routing_file import load_routing

    with context.open_workspace() as workspace:
        wanted = require_branch(workspace.store, branch or workspace.config.default_branch)
        routing = load_routing(workspace.config.repository)
        book = read_alerts(workspace.store, wanted, under=under, routing=routing)
        told = alert_states(workspace, wanted)
        quiet, kept = silences(workspace, wanted), waiting(workspace, wanted)
    if severity is not None:
        level = severity.upper()
        book = AlertBook(
            tuple(alert for alert in book.quality if alert.severity == level),
            tuple(alert for alert in book.equipment if alert.severity == level),
        )
    every: list[QualityAlert | EquipmentAlert] = [*book.quality, *book.equipment]
    ids = {alert: concern_id(alert, wanted) for alert in every}
    work = {alert: f"{name}  {told[name].words if name in told else NOBODY}" for alert, name in ids.items()}
    pages = {alert.runbook_id: routing.page(alert.runbook_id) for alert in every}
    document = {"branch": wanted, **book.to_json()}
    listed: dict[str, Sequence[QualityAlert | EquipmentAlert]] = {"quality": book.quality, "equipment": book.equipment}
    for kind, alerts in listed.items():
        for shown, alert in zip(document[kind]["alerts"], alerts, strict=True):
            state = told.get(ids[alert])
            shown |= {"id": ids[alert], "runbook_page": routing.page(alert.runbook_id)}
            shown["delivery"] = None if state is None else _delivery(state)
    document["silences"] = [one.to_json() for one in quiet]
    document["undelivered"] = [one.to_json() for one in kept]
    context.emit(document, lambda console: _print(console, book, wanted, limit, work, pages, quiet, kept))


def _print(
    console: Console,
    book: AlertBook,
    branch: str,
    limit: int,
    work: Mapping[QualityAlert | EquipmentAlert, str],
    pages: Mapping[str, str],
    quiet: Sequence[Silence],
    kept: Sequence[Waiting],
) -> None:
    console.print(f"[bold]Quality alerts[/bold] on {branch}: {_counts(book.quality)}")
    for quality in book.quality[:limit]:
        _quality(console, quality, work[quality], pages[quality.runbook_id])
    _rest(console, len(book.quality), limit)
    console.print(f"\n[bold]Equipment alerts[/bold] on {branch}: {_counts(book.equipment)}")
    for equipment in book.equipment[:limit]:
        _equipment(console, equipment, work[equipment], pages[equipment.runbook_id])
    _rest(console, len(book.equipment), limit)
    for silence in quiet:
        where = ", ".join(f"{key} {value}" for key, value in silence.matcher.items())
        said = f"{silence.id}  quiet until {_moment(silence.until)}: {where} ({silence.reason}; {silence.by})"
        console.print(f"\n{said}", markup=False)
    if kept:
        console.print(f"\n[bold]Not delivered[/bold]: {len(kept)}, kept until `mirror alerts deliver` succeeds")
    for one in kept[:limit]:
        why = one.error or "not tried yet"
        console.print(f"  {one.sink}: {one.message.subject} ({one.attempts} attempts, {why})", markup=False)


def _delivery(state: AlertState) -> dict[str, object]:
    return {key: value for key, value in state.to_json().items() if key not in ("id", "kind", "alert")}


def _quality(console: Console, alert: QualityAlert, work: str, page: str) -> None:
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
        f"  runbook      {page}",
        f"  raised       {_moment(alert.raised_at)}{since}",
        f"  id           {work}",
    )
    for line in lines:
        if line:
            console.print(escape(line))


def _equipment(console: Console, alert: EquipmentAlert, work: str, page: str) -> None:
    from rich.markup import escape

    deadline = f"by {_moment(alert.acknowledge_by)}" if alert.acknowledge_by else f"within {alert.acknowledge}"
    lines = (
        f"\n{alert.severity}  {alert.device_id}  {alert.title}",
        f"  why          {alert.description}" if alert.description else "",
        f"  owner        {alert.owner}",
        f"  told         {alert.rotation} in {alert.channel}, {alert.escalation_level}",
        f"  acknowledge  {deadline}; escalates: {alert.escalation}",
        f"  do           {alert.runbook_id}: {alert.step}",
        f"  runbook      {page}",
        f"  raised       {_moment(alert.created_at)} by {alert.model_id}, status {alert.status}",
        f"  id           {work}",
    )
    for line in lines:
        if line:
            console.print(escape(line))


def _counts(alerts: Iterable[QualityAlert | EquipmentAlert]) -> str:
    from mirror.health.alert_book import counts

    found = {severity: count for severity, count in counts(alerts).items() if count}
    return ", ".join(f"{count} {severity}" for severity, count in found.items()) or "none open"


def _rest(console: Console, total: int, limit: int) -> None:
    if total > limit:
        console.print(f"\n{total - limit} more; --limit {total} prints all")


def _moment(value: datetime | None) -> str:
    return "-" if value is None else f"{value:%Y-%m-%d %H:%M} UTC"
