"""Feature values of the newest day against the bins of the training rows."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mirror.report.errors import NotThereError
from mirror.report.fleet_data import FleetData
from mirror.report.parts import Histogram, Histograms
from mirror.report.sections import drift

AUDIENCE, ORDER = "science", 10
TITLE = "Feature distributions"
LEAD = (
    "Share of windows in ten bins that were equally full in training, of zeros and of nulls. Equal heights mean that "
    "nothing moved."
)

SHOWN = 12
NEWEST = timedelta(days=1)


def read(fleet: FleetData) -> Iterator[Histograms]:
    """The features that moved most, or the first ones where no drift was measured."""
    statistics = _references(fleet)
    chosen = _chosen(fleet, statistics)
    names = sorted({name for name, _ in chosen})
    times = fleet.table("device_features", ("window_end",))["window_end"]
    begin = pc.subtract(pc.max(times), pa.scalar(NEWEST))
    known = fleet.view("device_features").schema
    present = [name for name in names if known is not None and name in known.columns]
    if not present:
        raise NotThereError(f"{fleet.prefix}/device_features has none of the features that training_statistics names.")
    table = fleet.table("device_features", ("window_end",), ("window_duration_minutes", *present))
    table = table.filter(pc.greater(table["window_end"], begin))
    drawn = [
        drawn
        for name, minutes in chosen
        if name in present and (drawn := _histogram(table, name, minutes, statistics[name, minutes])) is not None
    ]
    if not drawn:
        raise NotThereError("No feature has both training bins and values of the newest day.")
    yield Histograms(
        tuple(drawn), now=f"newest day, {table.num_rows:,} windows", then="training rows", total=len(statistics)
    )


def _references(fleet: FleetData) -> dict[tuple[str, int], dict[str, Any]]:
    """The newest reference of each feature and window length that has bins."""
    needed = ("feature_name", "window_duration_minutes", "bin_edges", "bin_fractions")
    rows = fleet.table("training_statistics", needed, ("model_version", "training_window_end")).to_pylist()
    rows.sort(key=lambda row: str(row.get("training_window_end") or ""))
    return {
        (str(row["feature_name"]), int(row["window_duration_minutes"])): row
        for row in rows
        if row["bin_edges"] and row["bin_fractions"] and len(row["bin_fractions"]) == len(row["bin_edges"]) + 1
    }


def _chosen(fleet: FleetData, statistics: dict[tuple[str, int], dict[str, Any]]) -> list[tuple[str, int]]:
    try:
        moved = [(str(row["feature_name"]), row.get("window_duration_minutes")) for row in drift.ranked(fleet)]
    except NotThereError:
        moved = []
    order = [key for key in moved if key in statistics]
    # a feature once, at the window length at which it moved most
    found: dict[str, tuple[str, int]] = {}
    for name, minutes in [*order, *(key for key in sorted(statistics) if key not in order)]:
        found.setdefault(name, (name, minutes))
    return list(found.values())[:SHOWN]


def _histogram(table: pa.Table, name: str, minutes: int, row: dict[str, Any]) -> Histogram | None:
    column = table[name]
    if "window_duration_minutes" in table.column_names:
        column = column.filter(pc.fill_null(pc.equal(table["window_duration_minutes"], minutes), False))
    if not len(column) or not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        return None
    values = pc.cast(column, pa.float64()).to_numpy()
    there = values[~np.isnan(values)]
    zero = there == 0
    inner = np.asarray(row["bin_edges"][1:-1], dtype=float)
    # As the reference was counted: an edge belongs to the bin on its right, zeros and nulls have their own.
    counts = np.bincount(np.searchsorted(inner, there[~zero], side="right"), minlength=len(inner) + 1)
    shares = [*(counts / len(values)), zero.sum() / len(values), (len(values) - len(there)) / len(values)]
    edges = [f"{edge:.3g}" for edge in inner]
    labels = (
        f"below {edges[0]}",
        *(f"{a} to {b}" for a, b in pairwise(edges)),
        f"above {edges[-1]}",
    )
    reference = tuple(float(share) for share in row["bin_fractions"])
    far = max(range(len(shares)), key=lambda place: abs(shares[place] - reference[place]))
    names = (*labels, "exactly 0", "null")
    return Histogram(
        title=name,
        note=f"{minutes}-minute windows",
        labels=names,
        shares=tuple(float(share) for share in shares),
        reference=reference,
        summary=f"largest change: {names[far]}, {reference[far]:.0%} in training, {shares[far]:.0%} now",
    )
