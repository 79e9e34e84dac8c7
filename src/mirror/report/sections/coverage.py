"""How much of the fleet is watched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from mirror.report.errors import NotThereError
from mirror.report.fleet_data import FleetData
from mirror.report.parts import BAD, GOOD, NEUTRAL, WATCH, Rows, Tile, Tiles

AUDIENCE, ORDER = "management", 10
TITLE = "Devices monitored"
LEAD = "Active devices of the registry, those that were scored on the newest day, and those that need a person."

PROMISED, ALARMING = 0.99, 0.95
DAY = timedelta(days=1)


def read(fleet: FleetData) -> Iterator[Tiles | Rows]:
    """Large numbers, then the same per site where there are several."""
    scored = _scored(fleet)
    sick = {alert.device_id for alert in fleet.alerts.equipment}
    registry = _registry(fleet)
    if registry is None:
        yield Tiles(
            (
                Tile("devices scored", f"{len(scored):,}", "on the newest day; there is no registry to compare with"),
                Tile("need a person", f"{len(sick):,}", "devices with an open alert", BAD if sick else GOOD),
            )
        )
        return
    active = {row["device_id"]: str(row.get("site_id") or "UNKNOWN_SITE") for row in registry}
    watched = len(scored & active.keys())
    share = watched / len(active) if active else 0.0
    yield Tiles(
        (
            Tile("devices monitored", f"{len(active):,}", f"active, at {_sites(active.values())}"),
            Tile("coverage", f"{share:.1%}", f"{watched:,} scored on the newest day; 99 % promised", _level(share)),
            Tile("need a person", f"{len(sick):,}", "devices with an open alert", BAD if sick else GOOD),
        )
    )
    sites = sorted(set(active.values()))
    if len(sites) > 1:
        lines = [_site(site, {d for d, at in active.items() if at == site}, scored, sick) for site in sites]
        lines.sort(key=lambda line: (line[0], line[1][0]))
        yield Rows(
            caption="Sites, the least covered first",
            columns=("site", "devices", "scored", "coverage", "need a person"),
            rows=tuple(cells for _, cells in lines[:25]),
            total=len(lines),
        )


def _sites(names: Iterable[str]) -> str:
    count = len(set(names))
    return f"{count:,} {'site' if count == 1 else 'sites'}"


def _site(site: str, devices: set[str], scored: set[str], sick: set[str]) -> tuple[float, tuple[str, ...]]:
    share = len(devices & scored) / len(devices)
    counts = (f"{len(devices):,}", f"{len(devices & scored):,}", f"{share:.1%}", f"{len(devices & sick):,}")
    return share, (site, *counts)


def _scored(fleet: FleetData) -> set[str]:
    table = fleet.table("model_scores", ("device_id", "window_end"))
    if not pa.types.is_timestamp(table.schema.field("window_end").type):
        raise NotThereError(f"{fleet.prefix}/model_scores: window_end is no timestamp.")
    newest = pc.max(table["window_end"])
    recent = table.filter(pc.greater(table["window_end"], pc.subtract(newest, pa.scalar(DAY))))
    return set(pc.unique(recent["device_id"]).to_pylist())


def _registry(fleet: FleetData) -> list[dict[str, Any]] | None:
    """Active devices; ``None`` where there is no registry."""
    try:
        rows = fleet.table("device_registry", ("device_id",), ("site_id", "status")).to_pylist()
    except NotThereError:
        return None
    return [row for row in rows if str(row.get("status") or "active").lower() == "active"]


def _level(share: float) -> str:
    return GOOD if share >= PROMISED else WATCH if share >= ALARMING else BAD if share else NEUTRAL
