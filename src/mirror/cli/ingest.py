"""``mirror ingest``: files from outside into a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from mirror.cli.context import CliContext

if TYPE_CHECKING:
    from rich.console import Console


@click.command()
@click.argument("dataset")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--branch", metavar="B", help="Dataset branch (default: the workspace's).")
@click.option(
    "--type",
    "kind",
    type=click.Choice(["snapshot", "append", "update", "delete"]),
    default="append",
    show_default=True,
    help="snapshot replaces everything; append never overwrites, update may; delete takes away.",
)
@click.option("--infer-schema", is_flag=True, help="Delimited text: infer a schema, so that it reads as a table.")
@click.pass_obj
def command(
    ctx: CliContext, dataset: str, files: tuple[str, ...], branch: str | None, kind: str, infer_schema: bool
) -> None:
    """Put files into DATASET in one transaction. Parquet brings its schema; other files are kept byte for byte.

    A DATASET that does not exist yet is made when its full path is given. With --type delete the FILEs are paths inside
    the dataset.

    \b
    Examples:
      mirror ingest /Fleet/air_handler/landing day.csv.gz --type append
      mirror ingest /Fleet/air_handler/label_landing fault_schedule.csv
      mirror ingest /fleet/raw readings.csv --infer-schema
      mirror ingest landing day.csv.gz --type delete
    """
    from mirror.datasets import TransactionType
    from mirror.datasets.ingest import ingest

    with ctx.open_workspace() as workspace:
        result = ingest(
            workspace,
            dataset,
            files,
            branch=branch or workspace.config.default_branch,
            kind=TransactionType(kind.upper()),
            infer_schema=infer_schema,
        )

    def render(console: Console) -> None:
        where = f"{result.dataset} on {result.branch}"
        if result.transaction is None:
            console.print(f"{where}: up to date, {len(result.unchanged)} file(s) are in the view already")
            return
        rows = f", {result.rows} rows" if result.rows is not None else ""
        skipped = f"; {len(result.unchanged)} in the view already" if result.unchanged else ""
        verb = "removed" if result.type == "DELETE" else "added"
        made = " (new dataset)" if result.created else ""
        console.print(f"{where}{made}: {len(result.added)} file(s) {verb}{rows}{skipped}")
        console.print(f"  {result.type} {result.transaction}")

    ctx.emit(result.to_json(), render, markup=False)
