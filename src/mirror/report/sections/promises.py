"""Whether the service levels were kept."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mirror.report.errors import NotThereError
from mirror.report.fleet_data import FleetData
from mirror.report.parts import BAD, GOOD, WATCH, Rows, Tile, Tiles

AUDIENCE, ORDER = "management", 30
TITLE = "Service levels"
LEAD = (
    "Share of measurements within their limits, of alerts acknowledged in time, and of scoring runs that gave scores."
)

SPAN = timedelta(days=30)
AVAILABLE = 0.995
IN_TIME = 0.95
KEPT = 0.99


def read(fleet: FleetData) -> Iterator[Tiles | Rows]:
    """Tiles of what can be told, then every figure by how often it was out of limits."""
    tiles: list[Tile] = []
    problems: list[str] = []
    for one in (_runs, _acknowledged):
        try:
            tiles.append(one(fleet))
        except NotThereError as error:
            problems.append(str(error))
    measured: Rows | None = None
    try:
        kept, measured = _measured(fleet)
        tiles.insert(0, kept)
    except NotThereError as error:
        problems.append(str(error))
    if not tiles:
        raise NotThereError(" ".join(problems))
    yield Tiles(tuple(tiles))
    if measured is not None:
        yield measured


def _measured(fleet: FleetData) -> tuple[Tile, Rows]:
    table = _last(fleet, "pipeline_health_metrics", "measured_at", ("metric_id", "status"), ("dataset_name",))
    counts: dict[tuple[str, str], list[int]] = {}
    for row in table.to_pylist():
        dataset = str(row.get("dataset_name") or "–").rpartition("/")[2]
        found = counts.setdefault((str(row["metric_id"]), dataset), [0, 0, 0])
        found[0] += 1
        found[1] += row["status"] == "OK"
        found[2] += row["status"] == "UNKNOWN"
    families = _families(fleet)
    total, good = (sum(one[place] for one in counts.values()) for place in (0, 1))
    order = sorted(counts, key=lambda key: (counts[key][1] / counts[key][0], key))
    rows = Rows(
        caption="Monitored figures, the least kept first",
        columns=("within limits", "what", "figure", "dataset", "measurements", "could not be measured"),
        rows=tuple(
            (
                f"{counts[key][1] / counts[key][0]:.1%}",
                families.get(key[0], "–"),
                *key,
                f"{counts[key][0]:,}",
                f"{counts[key][2]:,}",
            )
            for key in order
        ),
        total=len(order),
        levels=tuple(_level(counts[key][1] / counts[key][0], KEPT) for key in order),
    )
    share = good / total
    return Tile("within limits", f"{share:.1%}", f"of {total:,} measurements", _level(share, KEPT)), rows


def _families(fleet: FleetData) -> dict[str, str]:
    """In words what each figure is about; nothing where the fleet does not say."""
    try:
        table = fleet.table("metric_coverage", ("metric_id", "family"))
    except NotThereError:
        return {}
    return {str(row["metric_id"]): str(row["family"]).replace("_", " ") for row in table.to_pylist()}


def _runs(fleet: FleetData) -> Tile:
    table = _last(fleet, "scoring_run_metrics", "scheduled_at", ("devices_eligible", "devices_scored"), ("outcome",))
    rows = table.to_pylist()
    gave = sum(bool(row["devices_scored"]) for row in rows)
    share = gave / len(rows)
    note = f"of {len(rows):,} looks found new scores; 99.5 % promised"
    return Tile("scoring available", f"{share:.1%}", note, _level(share, AVAILABLE))


def _acknowledged(fleet: FleetData) -> Tile:
    rows = _last(
        fleet, "device_alerts", "alert_created_at", ("sla_breached",), ("suppressed", "alert_type")
    ).to_pylist()
    due = [row for row in rows if not row.get("suppressed") and row.get("alert_type") != "ANOMALY_RESOLVED"]
    if not due:
        raise NotThereError("No equipment alert had to be acknowledged.")
    share = sum(not row["sla_breached"] for row in due) / len(due)
    return Tile("acknowledged in time", f"{share:.1%}", f"of {len(due):,} equipment alerts", _level(share, IN_TIME))


def _last(fleet: FleetData, name: str, by: str, needed: tuple[str, ...], wanted: tuple[str, ...]) -> Any:
    """The rows of the last 30 days of the dataset's own time."""
    table = fleet.table(name, (by, *needed), wanted)
    if not pa.types.is_timestamp(table.schema.field(by).type):
        raise NotThereError(f"{fleet.prefix}/{name}: {by} is no timestamp.")
    return table.filter(pc.greater(table[by], pc.subtract(pc.max(table[by]), pa.scalar(SPAN))))


def _level(share: float, promised: float) -> str:
    return GOOD if share >= promised else WATCH if share >= promised - 0.05 else BAD
