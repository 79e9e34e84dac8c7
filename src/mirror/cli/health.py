"""``mirror health``: how old, how full and how sound each dataset is, without touching data."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console

    from mirror.health import Condition

_STYLES = {"ok": "green", "empty": "yellow", "aborted": "red", "open": "bold", "never": "dim"}


@click.command("health")
@click.argument("under", default="")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.pass_obj
def command(context: CliContext, under: str, branch: str | None) -> None:
    """Freshness, volume and last outcome of every dataset below UNDER (a folder; default: all).

    A dataset is `empty` when its newest transaction brought no rows: its clock looks fresh while nothing arrives.
    """
    from mirror.health import read_conditions, require_branch

    with context.open_workspace() as workspace:
        wanted = require_branch(workspace.store, branch or workspace.config.default_branch)
        found = read_conditions(workspace.store, wanted, workspace.clock(), under=under)
    document = [{**asdict(condition), "volume_ratio": condition.volume_ratio} for condition in found]
    context.emit(document, lambda console: _print(console, found, wanted))


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
