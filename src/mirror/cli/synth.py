"""``mirror synth``: telemetry of a fleet that exists only on paper, with faults where you ask for them."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import Progress

from mirror.cli.context import CliContext
from mirror.synth import Fleet, SynthRequest, SynthResult, load_fleet, parse_anomalies, write_fleet
from mirror.synth.files import WRITERS
from mirror.synth.fleet import BUILT_IN
from mirror.synth.transport import Transport


@click.command("synth")
@click.option("--devices", type=int, required=True, help="How many devices.")
@click.option("--hours", type=float, required=True, help="Length of the series.")
@click.option("--seed", type=int, required=True, help="Same seed, same bytes.")
@click.option(
    "--out", type=click.Path(path_type=Path, file_okay=False), required=True, help="A new folder for the files."
)
@click.option(
    "--anomaly",
    "anomalies",
    multiple=True,
    metavar="DEVICE=KIND[@HOUR]",
    help="A scenario on a device (number, id, share such as 10%, or * for all); may be repeated.",
)
@click.option(
    "--fleet", default=BUILT_IN, show_default=True, metavar="NAME|FILE", help="A shipped fleet or your YAML file."
)
@click.option(
    "--start",
    type=click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S"]),
    help="First minute, UTC; the fleet's own otherwise.",
)
@click.option(
    "--format",
    "file_format",
    type=click.Choice(sorted(WRITERS)),
    default="parquet",
    show_default=True,
    help="csv is what a landing dataset takes; parquet is raw readings, ready to read.",
)
@click.option("--duplicates", type=float, default=0.0, show_default=True, help="Share of messages delivered twice.")
@click.option("--late", type=float, default=0.0, show_default=True, help="Share of messages 10 to 240 minutes late.")
@click.option(
    "--out-of-order",
    "out_of_order",
    type=float,
    default=0.0,
    show_default=True,
    help="Share of messages that the next few overtake.",
)
@click.option("--dropouts", type=float, default=0.0, show_default=True, help="Share of messages that never arrive.")
@click.option(
    "--garbage", type=float, default=0.0, show_default=True, help="Share of messages cut off or with text; csv only."
)
@click.option(
    "--clock-drift", type=float, default=0.0, show_default=True, help="Share of devices whose clock is minutes off."
)
@click.pass_obj
def command(
    context: CliContext,
    devices: int,
    hours: float,
    seed: int,
    out: Path,
    anomalies: tuple[str, ...],
    fleet: str,
    start: datetime | None,
    file_format: str,
    duplicates: float,
    late: float,
    out_of_order: float,
    dropouts: float,
    garbage: float,
    clock_drift: float,
) -> None:
    """Generate raw sensor readings, a device registry and, as Parquet, the ground truth.

    Scenarios (KIND) are those of the fleet file; a wrong name lists them.

    \b
    Examples:
      mirror synth --devices 10 --hours 48 --seed 7 --out synthetic
      mirror synth --devices 100 --hours 72 --seed 7 --out leaks --anomaly 10%=refrigerant_leak@24
    """
    described = load_fleet(fleet)
    request = SynthRequest(
        devices=devices,
        hours=hours,
        seed=seed,
        anomalies=parse_anomalies(anomalies, described, devices),
        transport=Transport(
            duplicate_share=duplicates,
            late_share=late,
            out_of_order_share=out_of_order,
            lost_share=dropouts,
            garbage_share=garbage,
            drift_share=clock_drift,
        ),
        start=start.replace(tzinfo=UTC) if start else None,
        format=file_format,
    )
    with Progress(console=context.progress(), transient=True) as progress:
        bar = progress.add_task("devices", total=devices)
        result = write_fleet(described, request, out, advance=lambda count: progress.advance(bar, count))
    context.emit(_document(result), lambda console: _print(console, described, request, result))


def _document(result: SynthResult) -> dict[str, object]:
    return {
        "rows": result.rows,
        "files": [str(path) for path in result.files],
        "registry": str(result.registry),
        "ground_truth": str(result.ground_truth),
        "transport_faults": str(result.faults),
        "manifest": str(result.manifest),
        "anomalies": [
            {"device_id": i.device_id, "kind": i.kind, "onset_hours": i.onset_hours, "end_hours": i.end_hours}
            for i in result.injected
        ],
    }


def _print(console: Console, fleet: Fleet, request: SynthRequest, result: SynthResult) -> None:
    folder = result.files[0].parent
    console.print(f"{result.rows:,} readings in {len(result.files)} file(s) below {folder}")
    console.print(f"registry      {result.registry}")
    console.print(f"ground truth  {result.ground_truth}")
    console.print(f"transport     {result.faults}")
    for injected in result.injected:
        bounds = f"hour {injected.onset_hours:g} to {injected.end_hours:g}"
        console.print(f"  {injected.device_id}  {injected.kind}  {bounds}")
    if request.format == "csv" and fleet.landing is not None:
        console.print(f"next: mirror ingest {fleet.landing} {folder}/*.csv")
        if fleet.registry_landing is not None:
            console.print(f"      mirror ingest {fleet.registry_landing} {result.registry}")
