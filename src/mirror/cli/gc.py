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
    history and cannot be read any more. Present views, and what a model version was trained on, are never touched.

    \b
    Examples:
      mirror gc
      mirror gc --yes
      mirror gc --keep-views 30 --dataset clean_sensor_readings --yes
    """
    from mirror.datasets.collect import Garbage, collect, find_garbage
    from mirror.datasets.ids import short
    from mirror.datasets.retention import plan_sweep, sweep
    from mirror.models.keeping import orphans, pin_all, remove
    from mirror.models.registry import ModelRegistry

    with ctx.open_workspace() as workspace:
        store = workspace.store
        registry = ModelRegistry(workspace)
        archives = orphans(registry)
        sweeps, pinned = [], []
        pin_all(registry)
        if keep_views is not None:
            datasets = [store.dataset(only)] if only else store.datasets()
            plans = [plan_sweep(store, d, keep_views=keep_views) for d in datasets]
            sweeps = [plan for plan in plans if plan.transactions]
            pinned = [plan for plan in plans if plan.pinned]
            if yes:
                for plan in sweeps:
                    sweep(store, plan)
        found = collect(store) if yes else find_garbage(store)
        if yes:
            remove(registry, archives)
        archived = "staged for a model and never published"
        root = workspace.config.storage.root
        found += tuple(Garbage(f"{root}/{a.location}", a.bytes, archived, a.location) for a in archives)
    document = {
        "removed": yes,
        "garbage": [{"path": str(g.path), "bytes": g.bytes, "why": g.why} for g in found],
        "pinned": [
            {"dataset": p.dataset.path, "transaction": rid, "holders": list(holders)}
            for p in pinned
            for rid, holders in p.pinned.items()
        ],
        "swept": [{"dataset": p.dataset.path, "transactions": [x.rid for x in p.transactions]} for p in sweeps],
    }

    def render(console: Console) -> None:
        for plan in sweeps:
            said = "swept" if yes else "would be swept"
            console.print(f"{plan.dataset.path}: {len(plan.transactions)} old transaction(s) {said} ({plan.reason})")
        for plan in pinned:
            for rid, holders in plan.pinned.items():
                console.print(f"{plan.dataset.path}: {short(rid)} is kept for {', '.join(holders)}", markup=False)
        for piece in found:
            console.print(f"{piece.path}: {piece.bytes:,} bytes, {piece.why}", markup=False)
        size = sum(g.bytes for g in found) + (0 if yes else sum(p.bytes for p in sweeps))
        verb = "removed" if yes else "would be removed; run `mirror gc --yes`"
        console.print(f"{len(found)} piece(s), {size:,} bytes {verb}" if found or sweeps else "nothing to collect")

    ctx.emit(document, render, markup=False)
