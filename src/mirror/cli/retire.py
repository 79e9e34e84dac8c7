"""``mirror retire``: take old files out of a dataset's present version."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext, moment

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.argument("dataset")
@click.option("--before", required=True, metavar="TXN|TIME", help="Files of older transactions leave the view.")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.option("--apply", "apply", is_flag=True, help="Do it; without this, only say what would happen.")
@click.pass_obj
def command(ctx: CliContext, dataset: str, before: str, branch: str | None, apply: bool) -> None:
    """Retire what is older than a transaction or time, as a retention policy does.

    A DELETE takes the files out of the view. Versions before it cannot be read any more, and `mirror gc --yes` frees
    their bytes, unless another branch or a model version needs them. Incremental transforms that read DATASET start
    over, unless they say allow_retention=True.

    \b
    Examples:
      mirror retire landing --before 2017-09-01
      mirror retire landing --before 2017-09-01 --apply
    """
    from mirror.datasets.ids import short
    from mirror.datasets.retention import plan_retirement, retire
    from mirror.models.keeping import pin_all
    from mirror.models.registry import ModelRegistry

    with ctx.open_workspace() as workspace:
        store = workspace.store
        found = store.dataset(dataset)
        wanted = branch or workspace.config.default_branch
        pin_all(ModelRegistry(workspace))
        done = (retire if apply else plan_retirement)(store, found, wanted, before=moment(before))
    document = {
        "dataset": found.path,
        "branch": wanted,
        "applied": done.transaction is not None,
        "transaction": done.transaction.rid if done.transaction else None,
        "files": [file.path for file in done.files],
        "swept": list(done.swept),
        "bytes": done.bytes,
        "kept": {rid: list(holders) for rid, holders in done.kept.items()},
    }

    def render(console: Console) -> None:
        def say(text: str) -> None:
            console.print(text, markup=False)

        if not done.files:
            say(f"{found.path} on {wanted} holds nothing that old")
            return
        verb = "left" if apply else "would leave"
        say(f"{found.path} on {wanted}: {len(done.files)} file(s) {verb} the view")
        for rid, holders in done.kept.items():
            say(f"  {short(rid)} keeps its bytes for {', '.join(holders)}")
        end = "`mirror gc --yes` frees them" if apply else "nothing was done; add --apply"
        say(f"{len(done.swept)} transaction(s), {done.bytes:,} bytes are needed by nobody; {end}")

    ctx.emit(document, render)
