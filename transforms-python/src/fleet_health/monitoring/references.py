"""``drift_baselines``: the rows that trained a version as histograms, for the fleet, its slices and its seasons."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fleet_health.contracts.monitoring import DRIFT_BASELINES_SCHEMA
from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.lengths import LENGTH, model_of, watched_features
from fleet_health.monitoring.sketch import Layout, Sketch
from fleet_health.profiles.model import Profile

GRID = np.linspace(0.0, 1.0, 201)
"""A bin of the fleet holds at most half a percent of the training values, unless one value alone holds more."""
FAR = 10.0
"""Interquartile ranges beyond a quartile from which on a value is extreme."""
SLICES = {
    "cohort": "cohort_id",
    "region": "region",
    "equipment_model": "model",
    "firmware_version": "firmware_version",
}
"""Name of a slice -> registry column."""
SEASON = "season"
_SEASONS = ("DJF", "MAM", "JJA", "SON")

Array = NDArray[Any]


def season_of(times: pd.Series[Any]) -> pd.Series[Any]:
    """Meteorological season of each time: three months from December on, by UTC."""
    return times.dt.month.map(lambda month: _SEASONS[month % 12 // 3])


def edges_of(values: Array) -> Array:
    """Inner edges of the bins of one feature; ``values`` are sorted and hold no NaN.

    Two hundred quantiles; the 0.1st and 99.9th; the limits of what is extreme; and both sides of zero and of any value
    that several quantiles share, so that such a value has a bin to itself.
    """
    if not len(values):
        return np.array([0.0, np.nextafter(0.0, 1.0)])
    grid = np.quantile(values, GRID)
    again = grid[1:][np.diff(grid) == 0.0]
    alone = np.append(again, 0.0)
    upper = np.nextafter(np.array([*np.quantile(values, [0.999]), *extremes_of(values)[1:], values[-1]]), np.inf)
    lower = np.array([np.quantile(values, 0.001), *extremes_of(values)[:1]])
    every = np.concatenate([grid, alone, np.nextafter(alone, np.inf), upper, lower])
    found: Array = np.unique(every[np.isfinite(every)])
    return found


def extremes_of(values: Array) -> tuple[float, ...]:
    """Where extreme values begin, below and above; empty where half of all values are equal."""
    low, high = np.quantile(values, [0.25, 0.75])
    return (float(low - FAR * (high - low)), float(high + FAR * (high - low))) if high > low else ()


def layout_of(rows: pd.DataFrame, names: tuple[str, ...]) -> Layout:
    """Bins made of training rows."""
    values = [np.sort(rows[name].dropna().to_numpy(dtype=np.float64)) for name in names]
    origins = tuple(float(line.mean()) if len(line) else 0.0 for line in values)
    return Layout(names, tuple(edges_of(line) for line in values), origins)


def sketch_of(rows: pd.DataFrame, layout: Layout) -> Sketch:
    """The histogram of rows that are held in memory."""
    made = Sketch.empty(layout)
    if len(rows):
        lines = [rows[name].to_numpy(dtype=np.float64, na_value=np.nan) for name in layout.names]
        made.add_values(np.vstack(lines))
    return made


def reference_rows(
    rows: pd.DataFrame,
    profile: Profile,
    minutes: int,
    snapshot_id: str,
    registry_snapshot_id: str,
    known_at: pd.Timestamp,
) -> pd.DataFrame:
    """The rows that one training publishes of one window length.

    Args:
        rows: the windows that trained, one column per feature, ``window_start``, and the columns of :data:`SLICES`.
        profile: names model, version and features.
        minutes: the length of all of ``rows``.
        snapshot_id: the transaction of ``device_features`` they came from.
        registry_snapshot_id: that of ``device_registry``.
        known_at: newest ``computed_at`` among them.

    Returns:
        ordered by slice and the order of features; a slice whose column is null in every row has none.
    """
    model = model_of(profile, minutes)
    layout = layout_of(rows, watched_features(profile))
    shared = {
        "model_id": model.model_id,
        "model_version": model.model_version,
        LENGTH: minutes,
        "snapshot_id": snapshot_id,
        "registry_snapshot_id": registry_snapshot_id,
        "computed_at": known_at,
    }
    made: list[dict[str, Any]] = []
    for name, value, part in _parts(rows):
        sketch = sketch_of(part, layout)
        for place, feature in enumerate(layout.names):
            made.append(
                {**shared, "slice_name": name, "slice_value": value, "feature_name": feature}
                | _described(sketch, place)
                | _percentiles(part[feature])
            )
    table = pd.DataFrame(made).reindex(columns=DRIFT_BASELINES_SCHEMA.fieldNames()).astype(object)
    return table.where(table.notna(), None)


def _parts(rows: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    yield ALL, ALL, rows
    cuts: Mapping[str, pd.Series[Any]] = {name: rows[column] for name, column in SLICES.items()}
    for name, by in {**cuts, SEASON: season_of(rows["window_start"])}.items():
        for value, part in rows.groupby(by, sort=True):
            yield name, str(value), part


def _described(sketch: Sketch, place: int) -> dict[str, Any]:
    low, high = sketch.extremes(place)
    return {
        "edges": sketch.layout.edges[place].tolist(),
        "counts": sketch.of(place).astype(np.float64).tolist(),
        "row_count": sketch.rows,
        "null_count": sketch.nulls(place),
        "mean": sketch.mean(place),
        "std": sketch.deviation(place),
        "minimum": low if np.isfinite(low) else None,
        "maximum": high if np.isfinite(high) else None,
    }


def _percentiles(column: pd.Series[Any]) -> dict[str, float | None]:
    values = column.dropna().to_numpy(dtype=np.float64)
    if not len(values):
        return {"p0_1": None, "p99_9": None, "far_below": None, "far_above": None}
    limits = extremes_of(values)
    return {
        "p0_1": float(np.quantile(values, 0.001)),
        "p99_9": float(np.quantile(values, 0.999)),
        "far_below": limits[0] if limits else None,
        "far_above": limits[1] if limits else None,
    }
