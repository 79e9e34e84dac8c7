"""``mirror review``: the production checklist, each line with its evidence."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console

from mirror.cli.context import CliContext
from mirror.clock import system_clock
from mirror.errors import ExitCode

if TYPE_CHECKING:
    from mirror.promotion.review import ReviewLine

_COLOURS = {"met": "green", "not met": "red", "cannot tell": "yellow"}


@click.command()
@click.option("--strict", is_flag=True, help="Count 'cannot tell' as 'not met'.")
@click.option("--repo", default=".", show_default=True, metavar="DIR", help="The repository that is reviewed.")
@click.pass_obj
def command(context: CliContext, strict: bool, repo: str) -> int:
    """Answer the production checklist from the repository and the workspace.

    Each line is met, not met, or cannot tell, with what was seen, where anybody can see it as well, and what to do.

    Exit code 1: a line is not met (with --strict also: one cannot be told).
    """
    from mirror.promotion.review import ReviewCase, Verdict, review

    lines = review(ReviewCase(Path(repo).resolve(), Path(context.workspace_path), system_clock))
    context.emit({"lines": [line.to_json() for line in lines]}, lambda console: _print(console, lines))
    blocking = {Verdict.NOT_MET, Verdict.CANNOT_TELL} if strict else {Verdict.NOT_MET}
    return int(ExitCode.REFUSED if any(line.answer.verdict in blocking for line in lines) else ExitCode.DONE)


def _print(console: Console, lines: list[ReviewLine]) -> None:
    for line in lines:
        answer = line.answer
        console.print(f"[{_COLOURS[answer.verdict]}]{answer.verdict.value:>11}[/]  ", end="")
        console.print(line.says, markup=False)
        console.print(f"             {answer.proof} ({answer.link})", markup=False)
        if answer.fix:
            console.print(f"             -> {answer.fix}", markup=False)
    counts = {name: sum(line.answer.verdict == name for line in lines) for name in _COLOURS}
    console.print(", ".join(f"{count} {name}" for name, count in counts.items()), markup=False)
