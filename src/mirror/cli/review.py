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

_COLOURS = {"met": "green", "not met": "red", "blocked": "red", "cannot tell": "yellow"}


@click.command()
@click.option("--strict", is_flag=True, help="Count 'cannot tell' as 'not met'.")
@click.option("--emergency", type=int, metavar="ENTRY", help="Answer for this emergency promotion instead.")
@click.option("--approve-as", "reviewer", metavar="NAME", help="Who looked at the emergency; not one of its authors.")
@click.option("--reason", metavar="TEXT", help="What was looked at, and what follows from it.")
@click.option("--repo", default=".", show_default=True, metavar="DIR", help="The repository that is reviewed.")
@click.pass_obj
def command(
    context: CliContext, strict: bool, emergency: int | None, reviewer: str | None, reason: str | None, repo: str
) -> int:
    """Answer the production checklist from the repository and the workspace.

    Each line is met, not met, blocked (a role owes something) or cannot tell, with what was seen, where anybody can see
    it as well, and what to do. With --emergency, write down that an emergency promotion was looked at afterwards.

    \b
    Examples:
      mirror review
      mirror review --strict
      mirror review --emergency 12 --approve-as 'Pipeline Owner' --reason 'limits were off by ten; test added'

    Exit code 1: a line is not met or blocked (with --strict also: one cannot be told).
    """
    if emergency is not None:
        return _answer_for(context, emergency, reviewer, reason, repo)
    from mirror.promotion.review import ReviewCase, Verdict, review

    lines = review(ReviewCase(Path(repo).resolve(), Path(context.workspace_path), system_clock))
    context.emit({"lines": [line.to_json() for line in lines]}, lambda console: _print(console, lines))
    blocking = {Verdict.NOT_MET, Verdict.BLOCKED} | ({Verdict.CANNOT_TELL} if strict else set())
    return int(ExitCode.REFUSED if any(line.answer.verdict in blocking for line in lines) else ExitCode.DONE)


def _answer_for(context: CliContext, number: int, reviewer: str | None, reason: str | None, repo: str) -> int:
    from mirror.promotion.emergency import review_emergency
    from mirror.promotion.git import Repository

    if not reviewer or not reason:
        raise click.UsageError("--emergency needs --approve-as NAME and --reason TEXT.")
    reviewed = review_emergency(Repository(Path(repo)), number, reviewer, reason, clock=system_clock)
    context.emit(
        {"reviewed": number, "by": reviewer, "reason": reason},
        lambda console: console.print(f"{reviewed} was reviewed by {reviewer}", markup=False),
    )
    return int(ExitCode.DONE)


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
