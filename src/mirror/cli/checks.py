"""``mirror checks``: the verdicts on what is stored, and how they came to be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from mirror.cli.context import CliContext
from mirror.errors import ExitCode

if TYPE_CHECKING:
    from pyspark.sql import DataFrame
    from rich.console import Console

    from mirror.checks import CheckSubject
    from mirror.datasets import Workspace

_STYLES = {"PASS": "green", "FAIL": "red", "ERROR": "magenta"}
_SHOWN_ROWS = 5


@click.command()
@click.argument("words", nargs=-1, metavar="[suggest] [DATASET]")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.option(
    "--history", is_flag=True, help="Every recorded verdict, newest first, not only the latest of each check."
)
@click.option("--explain", is_flag=True, help="What judging the stored data would read, without reading it.")
@click.option(
    "--junit", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write JUnit XML as well."
)
@click.pass_obj
def command(
    context: CliContext, words: tuple[str, ...], branch: str | None, history: bool, explain: bool, junit: Path | None
) -> ExitCode:
    """Verdicts of the checks of DATASET, or of all datasets; exit code 1 when a latest verdict blocks.

    `mirror checks suggest DATASET` proposes checks from the stored rows instead: code to paste, each with its reason.

    \b
    Examples:
      mirror checks
      mirror checks clean_sensor_readings --history
      mirror checks --junit checks.xml
      mirror checks suggest clean_sensor_readings
    """
    from mirror.builds import check_history, latest_of
    from mirror.checks import CheckResult

    if words[:1] == ("suggest",) and len(words) == 2:
        return _suggest(context, words[1], branch)
    if len(words) > 1 or words == ("suggest",):
        raise click.UsageError("give one DATASET, or `suggest DATASET`")
    dataset = words[0] if words else None
    with context.open_workspace() as workspace:
        wanted = branch or workspace.config.default_branch
        if explain:
            plans = explain_checks(workspace, dataset, wanted)
            context.emit({"branch": wanted, "plans": plans}, lambda console: _print_plans(console, plans))
            return ExitCode.DONE
        recorded = check_history(workspace, dataset, wanted)
    latest = latest_of(recorded)
    shown = list(recorded) if history else latest
    blocked = any(CheckResult.from_json(entry["result"]).blocks for entry in latest)
    if junit is not None:
        _write_junit(junit, latest)
    document = {"branch": wanted, "blocked": blocked, "checks": [_plain(entry) for entry in shown]}
    context.emit(document, lambda console: _print(console, shown, wanted, history))
    return ExitCode.REFUSED if blocked else ExitCode.DONE


def _suggest(context: CliContext, dataset: str, branch: str | None) -> ExitCode:
    """Prints suggestions for the newest view of a dataset."""
    from mirror.checks.stored import commits_of, stored_subject
    from mirror.checks.suggest import suggest
    from mirror.spark import start_session

    with context.open_workspace() as workspace:
        found, wanted = workspace.store.dataset(dataset), branch or workspace.config.default_branch
        hidden = workspace.config.sensitive.get(found.path, ())
        subject = stored_subject(start_session(), workspace.store.view(found, wanted), sensitive=hidden)
        made = [] if subject.schema is None else suggest(subject, commits_of(workspace.store, found, wanted))
    lines = [one.code() for one in made]
    document = [{"name": s.name, "expectation": repr(s.expectation), "reason": s.reason} for s in made]
    nothing = f"# {found.path} on {wanted} holds no rows to learn from"
    context.emit(
        {"dataset": found.path, "branch": wanted, "suggestions": document},
        lambda console: console.print("\n".join(lines) or nothing, markup=False),
    )
    return ExitCode.DONE


def explain_checks(workspace: Workspace, dataset: str | None, branch: str) -> list[dict[str, Any]]:
    """One plan per dataset and side that has checks: dataset, side, transform and the plan's lines.

    Raises DatasetNotFoundError, and what discovering the repository raises.
    """
    from mirror.builds import discover
    from mirror.checks import explain
    from mirror.checks.state_tables import CatalogStates
    from mirror.checks.stored import stored_subject
    from mirror.spark import start_session

    store = workspace.store
    only = None if dataset is None else store.dataset(dataset).path
    spark, states, plans = start_session(), CatalogStates(workspace.catalog), []
    for transform in discover(workspace).transforms:
        params = {**transform.inputs, **transform.outputs}
        paths = {name: store.rids.get(p.alias, p.alias) for name, p in params.items() if getattr(p, "alias", None)}
        found_by_name = {name: store.find(path) for name, path in paths.items()}
        held = {n: f for n, f in found_by_name.items() if f is not None and store.resolve_branch(f, branch) is not None}
        checked = [n for n in held if getattr(params[n], "checks", ()) and only in (None, held[n].path)]
        if not checked:
            continue
        hidden = workspace.config.sensitive
        subjects = {
            name: stored_subject(spark, store.view(found, branch), sensitive=hidden.get(found.path, ()))
            for name, found in held.items()
        }
        subjects |= {name: _without_view(path) for name, path in paths.items() if name not in held}
        for name in checked:
            others = {other: subject for other, subject in subjects.items() if other != name}
            subject = replace(subjects[name], references=others)
            plan = explain(params[name].checks, subject, spark=spark, now=workspace.clock(), states=states)
            side = "output" if name in transform.outputs else "input"
            lines = plan.explain()
            plans.append({"dataset": paths[name], "side": side, "transform": transform.__name__, "reads": lines})
    return plans


def _without_view(path: str) -> CheckSubject:
    """A dataset of the transform that was never written; checks that refer to it say so."""
    from mirror.checks import CheckSubject
    from mirror.checks.errors import NoSchemaError

    def frame() -> DataFrame:
        raise NoSchemaError(path)

    return CheckSubject(path, None, frame)


def _print_plans(console: Console, plans: list[dict[str, Any]]) -> None:
    from rich.markup import escape

    if not plans:
        console.print("no stored dataset has checks here")
    for plan in plans:
        console.print(f"\n[bold]{escape(plan['dataset'])}[/bold] as {plan['side']} of {escape(plan['transform'])}")
        for line in plan["reads"]:
            console.print("  " + escape(line))


def _plain(entry: dict[str, Any]) -> dict[str, Any]:
    return {**entry, "evaluated_at": entry["evaluated_at"].isoformat()}


def _write_junit(file: Path, entries: Iterable[dict[str, Any]]) -> None:
    from mirror.checks import CheckResult
    from mirror.checks.junit import Reported, junit_xml

    verdicts = [
        Reported(e["dataset"], e["branch"], e["evaluated_at"], CheckResult.from_json(e["result"])) for e in entries
    ]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(junit_xml(verdicts), encoding="utf-8")


def _print(console: Console, entries: list[dict[str, Any]], branch: str, history: bool) -> None:
    from rich.markup import escape

    if not entries:
        console.print(f"no verdicts on {escape(branch)}; `mirror build` judges what it builds")
        return
    width = max(len(e["name"]) for e in entries)
    last = None
    for entry in entries:
        if entry["dataset"] != last:
            console.print(f"\n[bold]{escape(entry['dataset'])}[/bold] on {escape(branch)}")
            last = entry["dataset"]
        style = _STYLES.get(entry["outcome"], "bold")
        warn = " warn" if entry["on_error"] == "WARN" and entry["outcome"] != "PASS" else ""
        side = "" if entry["side"] == "output" else " (as input)"
        when = entry["evaluated_at"].isoformat(sep=" ", timespec="seconds")[:19] + "  " if history else ""
        name, detail = escape(entry["name"].ljust(width)), escape(str(entry["result"].get("detail", "")))
        console.print(f"  {when}[{style}]{entry['outcome']:5}{warn}[/{style}]  {name}  {detail}{side}")
        if not history:
            _print_offenders(console, entry["result"].get("offending", []))
    counts = [
        f"{sum(e['outcome'] == o for e in entries)} {o}" for o in _STYLES if any(e["outcome"] == o for e in entries)
    ]
    console.print("\n" + ", ".join(counts))


def _print_offenders(console: Console, offending: list[dict[str, Any]]) -> None:
    from rich.markup import escape

    for row in offending[:_SHOWN_ROWS]:
        console.print("         " + escape(", ".join(f"{k}={'null' if v is None else v}" for k, v in row.items())))
    if len(offending) > _SHOWN_ROWS:
        console.print(f"         ... {len(offending) - _SHOWN_ROWS} more recorded; --json shows them")
