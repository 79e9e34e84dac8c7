"""``mirror health``: how old, how full and how sound each dataset is, and what its health checks say."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import click

from mirror.cli.context import CliContext
from mirror.errors import ExitCode

if TYPE_CHECKING:
    from rich.console import Console

    from mirror.datasets import Workspace
    from mirror.health import Condition
    from mirror.health.declaration import HealthCheck
    from mirror.health.reports import CheckReport

_STYLES = {"ok": "green", "empty": "yellow", "aborted": "red", "open": "bold", "never": "dim"}
_VERDICTS = {
    "PASSED": "green",
    "FAILED": "red",
    "WARNING": "yellow",
    "ERROR": "magenta",
    "NOT_COMPUTABLE": "magenta",
    "NOT_APPLICABLE": "dim",
}


@click.command("health")
@click.argument("words", nargs=-1, metavar="[UNDER | run | history CHECK]")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.option("--check", "names", metavar="NAME", multiple=True, help="run: only this check; may be repeated.")
@click.option("--under", metavar="FOLDER", default="", help="run: only checks of datasets below this folder.")
@click.option("--view", metavar="NAME", help="Only checks of this monitoring view.")
@click.option("--content", is_flag=True, help="run: read the rows that neither footers nor kept states tell about.")
@click.option("--critical", is_flag=True, help="Exit code 1 for CRITICAL failures only.")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="history: reports printed.")
@click.pass_obj
def command(
    context: CliContext,
    words: tuple[str, ...],
    branch: str | None,
    names: tuple[str, ...],
    under: str,
    view: str | None,
    content: bool,
    critical: bool,
    limit: int,
) -> ExitCode:
    """Freshness, volume and last outcome of every dataset below UNDER (a folder; default: all), and its health checks.

    A dataset is `empty` when its newest transaction brought no rows: its clock looks fresh while nothing arrives.
    `mirror health run` evaluates the checks of health/checks/*.yaml, from the catalog and without reading rows unless
    --content is given; `mirror health history CHECK` shows what one said over time. Exit code 1 when a check is FAILED,
    ERROR or NOT_COMPUTABLE and not snoozed.

    \b
    Examples:
      mirror health
      mirror health run
      mirror health run --view operations --critical
      mirror health history CHECK --limit 20
    """
    from mirror.health import require_branch

    if words[:1] == ("history",) and len(words) != 2:
        raise click.UsageError("give the CHECK whose history to show: mirror health history CHECK")
    if len(words) > 1 and words[0] != "history":
        raise click.UsageError("give one folder, `run`, or `history CHECK`")
    if words[:1] != ("run",) and (names or under or content):
        raise click.UsageError("--check, --under and --content go with `mirror health run`")
    with context.open_workspace() as workspace:
        wanted = require_branch(workspace.store, branch or workspace.config.default_branch)
        if words[:1] == ("run",):
            return _run(context, workspace, wanted, names, under, view, content, critical)
        if words[:1] == ("history",):
            return _history(context, workspace, wanted, words[1], limit)
        return _overview(context, workspace, wanted, words[0] if words else "", view, critical)


def _overview(
    context: CliContext, workspace: Workspace, branch: str, under: str, view: str | None, critical: bool
) -> ExitCode:
    from mirror.health import read_conditions
    from mirror.health.check_files import load_checks
    from mirror.health.reports import latest

    found = read_conditions(workspace.store, branch, workspace.clock(), under=under)
    checks = _chosen(load_checks(workspace.config.repository).all, branch, under, view)
    newest = latest(workspace, branch) if checks else {}
    said = [newest[check.name] for check in checks if check.name in newest]
    silent = [check for check in checks if check.name not in newest]
    listed = {condition.dataset for condition in found}
    document: list[dict[str, Any]] = [
        {
            **asdict(condition),
            "volume_ratio": condition.volume_ratio,
            "checks": [report.to_json() for report in said if condition.dataset in report.paths],
        }
        for condition in found
    ]
    document += [
        {"dataset": report.subject, "branch": branch, "state": "unknown", "checks": [report.to_json()]}
        for report in said
        if listed.isdisjoint(report.paths)
    ]

    def render(console: Console) -> None:
        _print(console, found, branch)
        if checks:
            _print_reports(console, said, "health checks")
        if silent:
            console.print(f"{len(silent)} health checks were never evaluated; `mirror health run` does")

    context.emit(document, render)
    return _verdict(said, critical)


def _run(
    context: CliContext,
    workspace: Workspace,
    branch: str,
    names: Sequence[str],
    under: str,
    view: str | None,
    content: bool,
    critical: bool,
) -> ExitCode:
    from mirror.health.check_files import load_checks
    from mirror.health.monitor import evaluate_checks
    from mirror.spark import start_session

    declared = load_checks(workspace.config.repository)
    wanted = [declared.named(name) for name in names] or declared.all
    checks = _chosen(wanted, branch, under, view)
    evaluation = evaluate_checks(workspace, checks, branch, session=start_session if content else None)
    document = {
        "branch": branch,
        "failing": bool(evaluation.alarms),
        "reports": [report.to_json() for report in evaluation.reports],
        "unsettled": [asdict(one) for one in evaluation.unsettled],
    }

    def render(console: Console) -> None:
        if not checks:
            console.print(f"no health check is about branch {branch} here; health/checks/*.yaml declares them")
        _print_reports(console, evaluation.reports, f"health checks on {branch}")
        for one in evaluation.unsettled:
            console.print(f"  not evaluated  {one.check}: {one.why}", markup=False)

    context.emit(document, render)
    return _verdict(evaluation.newest, critical)


def _history(context: CliContext, workspace: Workspace, branch: str, name: str, limit: int) -> ExitCode:
    from mirror.health.check_files import load_checks
    from mirror.health.reports import history

    found = history(workspace, branch, name, limit=limit)
    if not found:
        load_checks(workspace.config.repository).named(name)

    def render(console: Console) -> None:
        console.print(f"{name} on {branch}: {len(found)} reports, newest first", markup=False)
        for report in found:
            told = f"; told: {', '.join(report.notified)}" if report.notified else ""
            row = f"{report.created_at:%Y-%m-%d %H:%M:%S}"
            _print_report(console, report, row, f"{report.notice}{told}")

    context.emit([report.to_json() for report in found], render)
    return ExitCode.DONE


def print_alarms(console: Console, failing: Iterable[CheckReport]) -> None:
    """What a build ends with: the health checks that fail now, and who is told."""
    for report in failing:
        told = f"; told: {', '.join(report.notified)}" if report.notified else ""
        severity = f" {report.severity}" if report.severity else ""
        text = f"health {report.status}{severity} {report.subject}: {report.check}: {report.message}{told}"
        console.print(text, markup=False)
        console.print(f"    {report.first_step}", markup=False, style="dim")


def _chosen(checks: Iterable[HealthCheck], branch: str, under: str, view: str | None) -> list[HealthCheck]:
    return [
        check
        for check in checks
        if check.branch in (None, branch)
        and any(path.startswith(under) for path in check.paths)
        and view in (None, check.view)
    ]


def _verdict(reports: Iterable[CheckReport], critical: bool) -> ExitCode:
    alarming = [report for report in reports if report.alarms and (not critical or report.severity == "CRITICAL")]
    return ExitCode.REFUSED if alarming else ExitCode.DONE


def _print_reports(console: Console, reports: Sequence[CheckReport], title: str) -> None:
    if not reports:
        return
    console.print(f"\n{title}", markup=False)
    idle = [report for report in reports if report.status == "NOT_APPLICABLE"]
    by_view: dict[str, list[CheckReport]] = {}
    for report in reports:
        if report not in idle:
            by_view.setdefault(report.view, []).append(report)
    for view, shown in sorted(by_view.items()):
        console.print(f"  {view}", markup=False)
        for report in sorted(shown, key=lambda one: (one.subject, one.check, one.created_at)):
            told = f"told: {', '.join(report.notified)}" if report.notified else ""
            _print_report(console, report, f"  {report.subject}  {report.check}", told)
            if report.alarms:
                console.print(f"      {report.first_step}", markup=False, style="dim")
    if idle:
        console.print(f"  {len(idle)} have nothing to judge yet (NOT_APPLICABLE); --json lists them")


def _print_report(console: Console, report: CheckReport, row: str, told: str) -> None:
    from rich.markup import escape

    style = _VERDICTS.get(report.status, "bold")
    grade = f" {report.severity}" if report.severity else ""
    asleep = " (snoozed)" if report.snoozed else ""
    aside = f" [{told}]" if told else ""
    verdict = f"[{style}]{report.status}{grade}[/{style}]{asleep}"
    console.print(f"  {escape(row)}  {verdict}  {escape(report.message + aside)}")


def _print(console: Console, found: tuple[Condition, ...], branch: str) -> None:
    from rich.markup import escape

    if not found:
        console.print("no datasets yet; `mirror ingest` brings the first one")
        return
    # Plain columns, not a table: a long name must survive a pipe and a narrow terminal.
    rows = [("dataset", "state", "age", "newest rows", "of usual", "commits", "aborted since")]
    rows += [
        (
            one.dataset,
            one.state,
            age(one.age_seconds),
            "-" if one.rows is None else f"{one.rows:,}",
            "-" if one.volume_ratio is None else f"{one.volume_ratio:.0%}",
            str(one.commits),
            str(one.aborted),
        )
        for one in found
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    console.print(f"branch {escape(branch)}")
    for row in rows:
        name, state, *numbers = (text.ljust(width) for text, width in zip(row, widths, strict=True))
        style = _STYLES.get(row[1], "bold")
        console.print(f"{escape(name)}  [{style}]{state}[/{style}]  {'  '.join(numbers)}".rstrip())


def age(seconds: float | None) -> str:
    """A span in its largest fitting unit: ``45 s``, ``12 min``, ``3.5 h``, ``9.0 d``."""
    if seconds is None:
        return "-"
    for unit, size in (("d", 86400.0), ("h", 3600.0)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds / 60:.0f} min" if seconds >= 60 else f"{seconds:.0f} s"
