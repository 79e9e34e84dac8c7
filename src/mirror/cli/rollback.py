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
@click.option("--to", "to", metavar="TXN", help="A committed transaction (RID or the start of its id).")
@click.option("--snapshot", is_flag=True, help="Instead, where nothing earlier is left: the next build starts over.")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's); it must exist on DATASET.")
@click.option("--apply", "apply", is_flag=True, help="Do it; without this, only say what would happen.")
@click.pass_obj
def command(ctx: CliContext, dataset: str, to: str | None, snapshot: bool, branch: str | None, apply: bool) -> None:
    """Roll DATASET back to an earlier transaction, or forward again.

    No data is removed and incremental transforms go on from there. Code is not reverted: the next build makes the
    dataset anew where it is stale, so the jobs that it would run are listed.
    """
    from mirror.datasets.ids import short
    from mirror.datasets.rollback import plan_rollback, rollback

    if (to is None) is not snapshot:
        raise click.UsageError("name a transaction with --to, or give --snapshot, not both")
    if to is None:
        _snapshot(ctx, dataset, branch, apply)
        return
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

        end = short(done.to.rid)
        verb = "ends" if apply else "would end"
        say(f"{found.path} on {wanted} {verb} with transaction {end} ({done.to.type})")
        for what, transactions in (("rolled back", done.undone), ("restored", done.restored)):
            for x in transactions:
                say(f"  {what}: {short(x.rid)} ({x.type})")
        if not apply:
            say("nothing was done; add --apply")
        elif stale:
            say("code is not rolled back: the next build runs")
            for name, reason in stale.items():
                say(f"  {name}: {reason}")
        else:
            say("everything is up to date: the next build runs nothing")

    ctx.emit(document, render)


def _snapshot(ctx: CliContext, dataset: str, branch: str | None, apply: bool) -> None:
    from mirror.datasets.rollback import force_snapshot

    with ctx.open_workspace() as workspace:
        found = workspace.store.dataset(dataset)
        wanted = branch or workspace.config.default_branch
        workspace.store.history(found, wanted)
        if apply:
            with workspace.lock(wanted):
                force_snapshot(workspace.store, found, wanted)
    document = {"dataset": found.path, "branch": wanted, "to": None, "snapshot": True, "applied": apply}

    def render(console: Console) -> None:
        verb = "starts" if apply else "would start"
        console.print(f"{found.path} on {wanted}: the next build {verb} over; only a build undoes this", markup=False)
        way = f"`mirror build {found.path} --branch {wanted} --force` builds it although it may be up to date"
        console.print(way if apply else "nothing was done; add --apply", markup=False)

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
