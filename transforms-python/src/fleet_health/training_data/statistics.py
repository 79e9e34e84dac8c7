"""What the training rows look like, feature by feature: the one reference for imputation, contributors and drift."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fleet_health.contracts.training import STATISTICS_SCHEMA
from fleet_health.model_input.cohorts import cohort_medians
from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.model import Profile
from fleet_health.training_data.errors import NoTrainingWindowsError

_QUANTILES = {
    "training_p0_1": 0.001,
    "training_p05": 0.05,
    "training_p25": 0.25,
    "training_p50": 0.5,
    "training_p75": 0.75,
    "training_p95": 0.95,
    "training_p99_9": 0.999,
}
_LISTS = ("bin_edges", "bin_fractions")
DECILES = np.linspace(0.0, 1.0, 11)


def training_statistics(
    rows: pd.DataFrame, profile: Profile, snapshot_id: str, model: ModelSpec | FurtherModel | None = None
) -> pd.DataFrame:
    """One row per model feature.

    Args:
        rows: the training windows, one column per feature (null where the window had none), any order; with
            ``cohort_id`` where the profile has cohorts.
        profile: names the model and its features.
        snapshot_id: the transaction of ``device_features`` the rows came from.
        model: whose statistics they are; the profile's first model by default.

    Returns:
        the columns of contract 3c. ``bin_fractions`` has twelve shares: ten decile bins of the values that are neither
        zero nor null, then zero, then null. A feature without a single value keeps null statistics. ``cohort_medians``
        is null without cohorts, and leaves out a cohort that never had a value.

    Raises:
        NoTrainingWindowsError: there are no rows.
    """
    model = model or profile.model
    if not len(rows):
        raise no_windows(profile)
    shared = {
        "model_id": model.model_id,
        "model_version": model.model_version,
        "window_duration_minutes": model.window_duration_minutes,
        "training_row_count": len(rows),
        "training_device_count": int(rows["device_id"].nunique()),
        "snapshot_id": snapshot_id,
        "training_window_start": rows["window_start"].min(),
        "training_window_end": rows["window_end"].max(),
    }
    grouped = profile.cohorts is not None
    made = [
        {
            "feature_name": name,
            **shared,
            **_of(rows[name]),
            "cohort_medians": cohort_medians(rows, name) if grouped else None,
        }
        for name in profile.features_of(model)
    ]
    table = pd.DataFrame(made).reindex(columns=STATISTICS_SCHEMA.fieldNames())
    # for a feature without a value pandas puts NaN, which Arrow takes for no list
    lists = {name: table[name].astype(object).where(table[name].notna(), None) for name in _LISTS}
    return table.assign(**lists)


def no_windows(profile: Profile) -> NoTrainingWindowsError:
    """The error that says what the first model asks of a window."""
    model = profile.model
    days = ", on the days in `training_days`" if model.training_days else ""
    filters = (
        f"sensor_completeness >= {model.training_completeness_min.value:g}, "
        f"reading_count >= {model.training_reading_count_min.value:g}, "
        f"quality_flag_count <= {model.training_flagged_readings_max.value:g}{days}"
    )
    return NoTrainingWindowsError(profile.profile, model.window_duration_minutes, filters)


def of_model(statistics: pd.DataFrame, model_id: str) -> pd.DataFrame:
    """The statistics of one model among those of all."""
    return statistics[statistics["model_id"] == model_id]


def _of(column: pd.Series[Any]) -> dict[str, object]:
    everything = column.to_numpy(dtype="float64", na_value=np.nan)
    values = np.sort(everything[~np.isnan(everything)])
    null_rate = 1.0 - len(values) / len(everything) if len(everything) else 1.0
    if not len(values):
        return {"training_null_rate": null_rate}
    median = float(np.quantile(values, 0.5))
    edges = bin_edges(values)
    return {
        "training_mean": float(values.mean()),
        "training_stddev": float(values.std(ddof=1)) if len(values) > 1 else None,
        "training_min": float(values[0]),
        "training_max": float(values[-1]),
        "training_null_rate": null_rate,
        "training_mad": float(np.median(np.abs(values - median))),
        **{name: float(np.quantile(values, share)) for name, share in _QUANTILES.items()},
        "bin_edges": edges,
        "bin_fractions": (np.asarray(bin_counts(everything, edges)) / len(everything)).tolist(),
    }


def bin_edges(values: NDArray[Any]) -> list[float]:
    """Eleven decile edges of the values that are not zero; zero has a bin of its own, or it would swallow several."""
    nonzero = values[values != 0.0]
    return np.quantile(nonzero, DECILES).tolist() if len(nonzero) else [0.0] * len(DECILES)


def bin_counts(values: NDArray[Any], edges: list[float]) -> list[int]:
    """Values per bin: ten between the edges (outer ones open, an edge belongs to the bin on its right), zero, null."""
    null = np.isnan(values)
    zero = values == 0.0
    inner = np.searchsorted(np.asarray(edges[1:-1]), values[~null & ~zero], side="right")
    return [*np.bincount(inner, minlength=len(edges) - 1).tolist(), int(zero.sum()), int(null.sum())]
