"""``mirror rollback``: a promotion as a whole, or the branch of one dataset, goes back to what was before."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console

    from mirror.datasets import Workspace


@click.command()
@click.argument("dataset", required=False)
@click.option("--to", "to", metavar="TXN", help="A committed transaction (RID or the start of its id).")
@click.option("--snapshot", is_flag=True, help="Instead, where nothing earlier is left: the next build starts over.")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's); it must exist on DATASET.")
@click.option("--apply", "apply", is_flag=True, help="Do it; without this, only say what would happen.")
@click.option("--promotion", metavar="NAME", help="A release tag, or the number of a promotion's audit entry.")
@click.option("--approve-as", "approvals", multiple=True, metavar="NAME", help="Who approves taking a promotion back.")
@click.option("--reason", metavar="TEXT", help="Why a promotion is rolled back; kept in the audit log.")
@click.option("--resume", is_flag=True, help="Finish an interrupted rollback of a promotion.")
@click.option("--repo", default=".", show_default=True, metavar="DIR", help="The git repository of the promotion.")
@click.pass_obj
def command(
    ctx: CliContext,
    dataset: str | None,
    to: str | None,
    snapshot: bool,
    branch: str | None,
    apply: bool,
    promotion: str | None,
    approvals: tuple[str, ...],
    reason: str | None,
    resume: bool,
    repo: str,
) -> None:
    """Roll DATASET back to an earlier transaction (or forward again), or take a whole promotion back.

    A dataset: no data is removed and incremental transforms go on from there. Code is not reverted: the next build
    makes the dataset anew where it is stale, so the jobs that it would run are listed.

    A promotion: the branch gets a commit without it, its datasets and models go back to what they were when it began,
    and the branch's own rebuild publishes the old JobSpecs; it computes only what newer input data ask for. Tags stay.

    \b
    Examples:
      mirror rollback device_alerts --to 3f9a --branch release
      mirror rollback --promotion release-4 --branch release
      mirror rollback --promotion release-4 --branch release --approve-as Ada --reason 'floods alerts' --apply

    Exit code 1: nobody who may approved, later work conflicts, or the data is not back yet (--resume).
    2: wrong use.
    """
    from mirror.datasets.ids import short
    from mirror.datasets.rollback import plan_rollback, rollback

    if (dataset is None) is (promotion is None):
        raise click.UsageError("name a DATASET or a --promotion, not both")
    if promotion is not None:
        _roll_promotion_back(ctx, promotion, branch, approvals, reason, apply, resume, repo)
        return
    if dataset is None or (to is None) is not snapshot:
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


def _roll_promotion_back(
    ctx: CliContext,
    name: str,
    branch: str | None,
    approvals: tuple[str, ...],
    reason: str | None,
    apply: bool,
    resume: bool,
    repo: str,
) -> None:
    from mirror.cli.shown.promotion_plan import print_rollback
    from mirror.clock import system_clock
    from mirror.promotion.git import Repository
    from mirror.promotion.promote import Heard
    from mirror.promotion.rollback import RollbackRequest, plan_rollback, resume_rollback, roll_back

    if branch is None:
        raise click.UsageError("say on which branch with --branch")
    if apply and not reason and not resume:
        raise click.UsageError("say why with --reason; the audit log keeps it")
    repository = Repository(Path(repo))
    request = RollbackRequest(name, branch, Path(ctx.workspace_path), approvals, reason or "")
    progress = ctx.progress()
    heard = Heard(step=lambda text: progress.print(text, markup=False))
    if resume:
        commit = resume_rollback(repository, request, clock=system_clock, heard=heard)
        said = f"the rollback of {name} on {branch} is finished as {commit[:12]}"
        ctx.emit({"promotion": name, "branch": branch, "commit": commit}, lambda c: c.print(said, markup=False))
        return
    done = (
        roll_back(repository, request, clock=system_clock, heard=heard)
        if apply
        else plan_rollback(repository, request, clock=system_clock)
    )
    ctx.emit({**done.to_json(), "applied": apply}, lambda console: print_rollback(console, done, name, apply))


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
