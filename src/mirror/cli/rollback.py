"""``mirror rollback``: let a dataset's branch end with an earlier transaction again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console

    from mirror.datasets import Workspace


@click.command()
@click.argument("dataset")
@click.option("--to", "to", required=True, metavar="TXN", help="A committed transaction (RID or the start of its id).")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's); it must exist on DATASET.")
@click.option("--apply", "apply", is_flag=True, help="Do it; without this, only say what would happen.")
@click.pass_obj
def command(ctx: CliContext, dataset: str, to: str, branch: str | None, apply: bool) -> None:
    """Roll DATASET back to an earlier transaction, or forward again.

    No data is removed and incremental transforms go on from there. Code is not reverted: the next build makes the
    dataset anew where it is stale, so the jobs that it would run are listed.
    """
    from mirror.datasets.rollback import plan_rollback, rollback

    with ctx.open_workspace() as workspace:
        found = workspace.store.dataset(dataset)
        wanted = branch or workspace.config.default_branch
        if apply:
            with workspace.lock(wanted):
                done = rollback(workspace.store, found, wanted, to)
        else:
            done = plan_rollback(workspace.store, found, wanted, to)
        stale = _next_build(workspace, wanted) if apply else {}
    document = {
        "dataset": found.path,
        "branch": wanted,
        "to": done.to.rid,
        "applied": apply,
        "undone": [x.rid for x in done.undone],
        "restored": [x.rid for x in done.restored],
        "next_build": stale,
    }

    def render(console: Console) -> None:
        def say(text: str) -> None:
            console.print(text, markup=False)

        end = done.to.rid.rsplit(".", 1)[-1][:8]
        verb = "ends" if apply else "would end"
        say(f"{found.path} on {wanted} {verb} with transaction {end} ({done.to.type})")
        for what, transactions in (("rolled back", done.undone), ("restored", done.restored)):
            for x in transactions:
                say(f"  {what}: {x.rid.rsplit('.', 1)[-1][:8]} ({x.type})")
        if not apply:
            say("nothing was done; add --apply")
        elif stale:
            say("code is not rolled back: the next build runs")
            for name, reason in stale.items():
                say(f"  {name}: {reason}")
        else:
            say("everything is up to date: the next build runs nothing")

    ctx.emit(document, render)


def _next_build(workspace: Workspace, branch: str) -> dict[str, str]:
    """Transform -> why the next build runs it; nothing where there is no pipeline."""
    from mirror.builds import publish
    from mirror.builds.plan import Decision, plan
    from mirror.cli.build import binders
    from mirror.datasets.errors import GuestNotFoundError

    try:
        decided = plan(workspace, publish(workspace, branch), (), branch, binders=binders(workspace))
    except GuestNotFoundError:
        return {}
    return {job.spec.name: job.reason for job in decided.jobs if job.decision is Decision.RUN}
