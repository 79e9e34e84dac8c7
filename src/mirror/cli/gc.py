"""``mirror gc``: remove what no view needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.option("--yes", is_flag=True, help="Remove it; without this, only say what would be removed.")
@click.option("--keep-views", type=click.IntRange(min=1), metavar="N", help="Also sweep versions older than N views.")
@click.option("--dataset", "only", metavar="DATASET", help="With --keep-views: sweep this dataset alone.")
@click.pass_obj
def command(ctx: CliContext, yes: bool, keep_views: int | None, only: str | None) -> None:
    """Collect files of aborted and abandoned transactions, unfinished writes and caches.

    With --keep-views, versions that are older than the last N views of every branch are swept as well: they stay in the
    history and cannot be read any more. Present views and pinned transactions are never touched.
    """
    from mirror.datasets.collect import collect, find_garbage
    from mirror.datasets.retention import plan_sweep, sweep

    with ctx.open_workspace() as workspace:
        store = workspace.store
        sweeps = []
        if keep_views is not None:
            datasets = [store.dataset(only)] if only else store.datasets()
            sweeps = [p for d in datasets if (p := plan_sweep(store, d, keep_views=keep_views)).transactions]
            if yes:
                for plan in sweeps:
                    sweep(store, plan)
        found = collect(store) if yes else find_garbage(store)
    document = {
        "removed": yes,
        "garbage": [{"path": str(g.path), "bytes": g.bytes, "why": g.why} for g in found],
        "swept": [{"dataset": p.dataset.path, "transactions": [x.rid for x in p.transactions]} for p in sweeps],
    }

    def render(console: Console) -> None:
        for plan in sweeps:
            said = "swept" if yes else "would be swept"
            console.print(f"{plan.dataset.path}: {len(plan.transactions)} old transaction(s) {said} ({plan.reason})")
        for piece in found:
            console.print(f"{piece.path}: {piece.bytes:,} bytes, {piece.why}", markup=False)
        size = sum(g.bytes for g in found) + (0 if yes else sum(p.bytes for p in sweeps))
        verb = "removed" if yes else "would be removed; run `mirror gc --yes`"
        console.print(f"{len(found)} folder(s), {size:,} bytes {verb}" if found or sweeps else "nothing to collect")

    ctx.emit(document, render)
