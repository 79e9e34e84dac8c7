"""``mirror backfill``: history again with today's formulas, chunk by chunk, beside the live dataset."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console

    from mirror.builds.backfill import BackfillPlan, DeclaredChunk


@click.command("backfill")
@click.argument("target")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), required=True, help="First UTC day.")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), required=True, help="Last UTC day, included.")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.option("--dry-run", is_flag=True, help="Print the chunks and stop.")
@click.option("--restart", is_flag=True, help="Begin again, whatever an earlier run has done.")
@click.option("--master", metavar="URL", help="Spark master (default: this machine).")
@click.pass_obj
def command(
    ctx: CliContext,
    target: str,
    first: datetime,
    last: datetime,
    branch: str | None,
    dry_run: bool,
    restart: bool,
    master: str | None,
) -> None:
    """Compute the rows of TARGET for a range of days again, into the dataset TARGET_backfill.

    One transaction per chunk: a run that was ended in any way goes on where it stopped when it is started again, with
    the same input and the same formulas or not at all. The live dataset and its consumers are left alone.

    \b
    Examples:
      mirror backfill /Fleet/air_handler/feature_versions --from 2017-09-20 --to 2017-09-30 --dry-run
      mirror backfill /Fleet/air_handler/feature_versions --from 2017-09-20 --to 2017-09-30
    """
    from mirror.builds.backfill import plan_backfill, run_backfill
    from mirror.cli.build import session_on_demand
    from mirror.cli.progress.driver_log import driver_log

    with ctx.open_workspace() as workspace:
        where = branch or workspace.config.default_branch
        plan = plan_backfill(workspace, target, first.date(), last.date(), where, restart=restart)
        if dry_run:
            ctx.emit(_document(plan), lambda console: _show(console, plan), markup=False)
            return
        progress, total = ctx.progress(), len(plan.chunks)
        rows_of: dict[str, int] = {}

        def advance(chunk: DeclaredChunk, rows: int) -> None:
            rows_of[chunk.first.isoformat()] = rows
            at = len(plan.done) + len(rows_of)
            progress.print(f"[{at}/{total}] {chunk.first} to {chunk.last}: {rows:,} rows", markup=False)

        with driver_log(progress, as_json=ctx.as_json):
            missing = run_backfill(workspace, plan, session_on_demand(workspace, progress, master)(), advance)

    def render(console: Console) -> None:
        kept = f", {len(plan.done)} kept from before" if plan.done else ""
        console.print(f"{plan.into} on {plan.branch}: {len(rows_of)} chunk(s) computed{kept}")
        if missing:
            console.print(f"no window starts on {len(missing)} day(s): {', '.join(map(str, missing[:5]))}")

    days = [day.isoformat() for day in missing]
    ctx.emit({**_document(plan), "rows": rows_of, "missing_days": days}, render, markup=False)


def _document(plan: BackfillPlan) -> dict[str, object]:
    return {
        "target": plan.declared.target,
        "into": plan.into,
        "branch": plan.branch,
        "source": plan.declared.source,
        "input": plan.input,
        "formula_version": plan.formula_version,
        "chunks": [
            {"first": chunk.first.isoformat(), "last": chunk.last.isoformat(), "done": chunk.first in plan.done}
            for chunk in plan.chunks
        ],
    }


def _show(console: Console, plan: BackfillPlan) -> None:
    console.print(f"{plan.declared.target} from {plan.declared.source}, into {plan.into} on {plan.branch}")
    console.print(f"formula version {plan.formula_version}, input up to {plan.input}")
    for number, chunk in enumerate(plan.chunks, start=1):
        done = "done" if chunk.first in plan.done else "to do"
        console.print(f"  {number:>3}  {chunk.first} to {chunk.last}  {done}")
