"""The rows of contract M3, made of sketches and references; nothing here reads a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.monitoring import DRIFT_SCHEMA
from fleet_health.data_time import with_data_time
from fleet_health.monitoring.comparison import WHOLE, Measured, Part, Period, Reference, indices
from fleet_health.monitoring.distances import association, compare
from fleet_health.monitoring.joint import Joint
from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.lengths import LENGTH, model_of, watched_features
from fleet_health.monitoring.references import SLICES
from fleet_health.monitoring.sketch import Layout, Sketch
from fleet_health.monitoring.triage import MODERATE, NO_REFERENCE, SIGNIFICANT, TOO_FEW_ROWS, Movement, scope, triage
from fleet_health.profiles.model import Profile

LIMITS = ((1.0, "emergency"), (SIGNIFICANT, "significant"), (MODERATE, "moderate"))
VECTOR = "__vector__"
_TIMES = ("scoring_window_start", "computed_at")

Array = NDArray[Any]
References = Mapping[Part, Mapping[str, Reference]]


def drift_rows(measured: Sequence[Measured], features: DataFrame) -> DataFrame:
    """As a frame, at the data time of ``features``; every length with the start of its own period."""
    body = type(DRIFT_SCHEMA)([field for field in DRIFT_SCHEMA if field.name not in _TIMES])
    names = body.fieldNames()
    rows = [(*(row.get(name) for name in names), one.period.start) for one in measured for row in one.rows]
    made = features.sparkSession.createDataFrame(rows, body.add("_start", "long"))
    started = made.withColumn("scoring_window_start", F.timestamp_seconds("_start"))
    return conform(with_data_time(started, features, "computed_at", F.col("computed_at")), DRIFT_SCHEMA)


def rows_of(
    compared: Sequence[tuple[Part, Sketch]],
    now: Mapping[Part, Sketch],
    known: References,
    layout: Layout,
    movements: Mapping[str, Movement],
    profile: Profile,
) -> list[dict[str, Any]]:
    """A row per part and feature, then groups of features, then the mix of each slice; times are left out."""
    reach = scope(movements)
    made = [
        _row(name, place, part, sketch, known[part][name], known[WHOLE][name])
        | _about_movement(name, part, movements, reach, profile)
        for part, sketch in compared
        for place, name in enumerate(layout.names)
    ]
    made += _groups(made, profile) + _categories(now, known, layout)
    return [_shared(known) | row for row in made]


def unreferenced(minutes: int, period: Period, profile: Profile) -> Measured:
    """A row per feature of a length of which training saw no window: it says that nothing was compared."""
    model = model_of(profile, minutes)
    told = {
        "model_id": model.model_id,
        "model_version": model.model_version,
        LENGTH: minutes,
        "slice_name": ALL,
        "slice_value": ALL,
        "current_row_count": 0,
        "drift_severity": "none",
        "triage": NO_REFERENCE,
    }
    rows = [{"feature_name": name, **told} for name in watched_features(profile)]
    return Measured(minutes, rows, {}, period)


def _row(name: str, place: int, part: Part, sketch: Sketch, trained: Reference, fleet: Reference) -> dict[str, Any]:
    counts, edges = sketch.of(place), sketch.layout.edges[place]
    present, spread = sketch.present(place), trained.row["std"]
    low, high = sketch.extremes(place)
    both = indices(sketch, place, trained)
    psi, kl = both or (None, None)
    found = None
    if both is not None and present and trained.counts.sum():
        extremes = min(low, trained.row["minimum"]), max(high, trained.row["maximum"])
        means = sketch.mean(place) or 0.0, float(trained.row["mean"])
        found = compare(counts, sketch.nulls(place), trained.counts, trained.nulls, edges, extremes, means)
    mean, deviates = sketch.mean(place), pd.notna(spread) and spread > 0.0
    return {
        "feature_name": name,
        "slice_name": part[0],
        "slice_value": part[1],
        "ks_statistic": found and found.ks,
        "ks_p_value": found and found.ks_p,
        "ks_error": found and found.ks_error,
        "psi_value": psi,
        "kl_divergence": kl,
        "wasserstein_sigma": found.wasserstein / spread if found and deviates else None,
        "cramers_v": found and found.cramers_v,
        "chi_squared_p_value": found and found.chi_squared_p,
        "mean_shift_sigma": abs(mean - trained.row["mean"]) / spread if mean is not None and deviates else None,
        "out_of_range_fraction": _outside(counts, edges, fleet.row["minimum"], fleet.row["maximum"]),
        "soft_band_fraction": _outside(counts, edges, fleet.row["p0_1"], fleet.row["p99_9"]),
        "extreme_fraction": _outside(counts, edges, fleet.row["far_below"], fleet.row["far_above"]),
        "null_rate_delta": sketch.nulls(place) / sketch.rows - trained.nulls / trained.row["row_count"],
        "current_mean": mean,
        "current_std": sketch.deviation(place),
        "current_row_count": sketch.rows,
        "drift_severity": severity(psi),
    }


def severity(psi: float | None) -> str:
    """The word for an index; ``none`` also where nothing can be said, which ``triage`` tells."""
    return next((name for limit, name in LIMITS if psi is not None and psi > limit), "none")


def _outside(counts: Array, edges: Array, low: Any, high: Any) -> float | None:
    """Share of the values below ``low`` or above ``high``, both of which are edges."""
    total = counts.sum()
    if not total or pd.isna(low) or pd.isna(high):
        return None
    below = counts[: np.searchsorted(edges, low, side="left") + 1].sum()
    above = counts[np.searchsorted(edges, np.nextafter(high, np.inf), side="left") + 1 :].sum()
    return float((below + above) / total)


def _about_movement(
    name: str, part: Part, movements: Mapping[str, Movement], reach: str, profile: Profile
) -> dict[str, Any]:
    if part != WHOLE:
        return {}
    if name not in movements:
        return {"triage": TOO_FEW_ROWS}
    one = movements[name]
    told = {"psi_day_before": one.psi_day_before, "moved_devices_share": one.moved_devices, "reach": reach}
    return {**told, "triage": triage(name, movements, profile)}


def _groups(rows: Sequence[Mapping[str, Any]], profile: Profile) -> list[dict[str, Any]]:
    """The mean index of each group of features."""
    grouped = {feature.name: feature.group for feature in profile.features}
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        if row["slice_name"] == ALL and row["psi_value"] is not None:
            found.setdefault(grouped[row["feature_name"]], []).append(row)
    return [
        {
            "feature_name": f"group:{group}",
            "slice_name": ALL,
            "slice_value": ALL,
            "psi_value": float(np.mean([row["psi_value"] for row in members])),
            "current_row_count": members[0]["current_row_count"],
            "drift_severity": "none",
        }
        for group, members in sorted(found.items())
    ]


def _categories(
    now: Mapping[Part, Sketch], known: Mapping[Part, Mapping[str, Reference]], layout: Layout
) -> list[dict[str, Any]]:
    """The mix of each slice against training, where training knew its parts."""
    made = []
    first = layout.names[0]
    for name in SLICES:
        values = sorted({value for slice_name, value in {**now, **known} if slice_name == name})
        trained = [known[name, v][first].row["row_count"] if (name, v) in known else 0 for v in values]
        current = [now[name, v].rows if (name, v) in now else 0 for v in values]
        if not sum(trained) or not sum(current):
            continue
        v, p_value = association(np.array(current, dtype=np.float64), np.array(trained, dtype=np.float64))
        told = {"slice_name": ALL, "slice_value": ALL, "drift_severity": "none", "current_row_count": sum(current)}
        made.append({"feature_name": f"category:{name}", "cramers_v": v, "chi_squared_p_value": p_value, **told})
    return made


def _shared(known: Mapping[Part, Mapping[str, Reference]]) -> dict[str, Any]:
    row = next(iter(known[WHOLE].values())).row
    return {name: row[name] for name in ("model_id", "model_version", LENGTH)}


def with_joint(measured: Measured, found: Joint | None) -> Measured:
    """Adds the row of whole vectors, where they were compared."""
    if found is None:
        return measured
    first = measured.rows[0]
    told = {key: first[key] for key in ("model_id", "model_version", LENGTH, "current_row_count")}
    row = {
        "feature_name": VECTOR,
        "slice_name": ALL,
        "slice_value": ALL,
        "drift_severity": "none",
        **told,
        **asdict(found),
    }
    row["mmd_p_value"] = row.pop("p_value")
    return replace(measured, rows=[*measured.rows, row])
