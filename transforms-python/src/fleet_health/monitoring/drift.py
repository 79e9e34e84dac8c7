"""``feature_drift_metrics``: how far the newest day of windows has moved from the rows that trained the model."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health.contracts.conform import conform
from fleet_health.contracts.monitoring import DRIFT_SCHEMA
from fleet_health.data_time import with_data_time
from fleet_health.profiles.model import Profile
from fleet_health.training_data.statistics import bin_counts

SMOOTHING = 0.5
"""Added to every bin on both sides, so that an empty bin has a finite distance."""
LIMITS = ((1.0, "emergency"), (0.25, "significant"), (0.10, "moderate"))

_PARTIAL = "feature_name string, counts array<long>, total double, squares double, present long, outside long"


def feature_drift(features: DataFrame, statistics: pd.DataFrame, profile: Profile) -> DataFrame:
    """The rows of contract M3 for the fleet as a whole, one per model feature.

    Args:
        features: ``device_features``; the last 24 hours before its newest ``window_end`` are compared.
        statistics: ``training_statistics`` of one model version (small: one row per feature).
        profile: names the model and its window length.

    Returns:
        PSI and KL on the training deciles plus a zero and a null bin, mean shift in training deviations, share outside
        the training range, change of the null rate. KS is null: deciles underestimate it.
    """
    length = profile.model.window_duration_minutes
    rows = features.where(F.col("window_duration_minutes") == length)
    timed = with_data_time(rows, rows, "_until", F.col("window_end"))
    start = F.col("_until") - F.expr("INTERVAL 24 HOURS")
    recent = timed.where(F.col("window_start") >= start)
    reference = statistics.set_index("feature_name").loc[list(profile.model_features)].dropna(subset=["training_p50"])
    names = [str(name) for name in reference.index]
    rows_of_reference = [row for _, row in reference.iterrows()]

    def count(batches: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        for batch in batches:
            yield pd.DataFrame(
                [_partial(name, batch[name], row) for name, row in zip(names, rows_of_reference, strict=True)]
            )

    def compare(partials: pd.DataFrame) -> pd.DataFrame:
        return pd.DataFrame([_compared(partials, reference.loc[partials["feature_name"].iloc[0]], profile)])

    body = [field for field in DRIFT_SCHEMA if field.name not in ("scoring_window_start", "computed_at")]
    partials = recent.select(*names).mapInPandas(count, _PARTIAL)
    compared = partials.groupBy("feature_name").applyInPandas(compare, type(DRIFT_SCHEMA)(body))
    until = with_data_time(compared, rows, "_until", F.col("window_end"))
    timed = with_data_time(
        until.withColumn("scoring_window_start", start), features, "computed_at", F.col("computed_at")
    )
    return conform(timed, DRIFT_SCHEMA)


def _partial(name: str, column: pd.Series[Any], reference: pd.Series[Any]) -> dict[str, object]:
    values = column.to_numpy(dtype="float64", na_value=np.nan)
    present = values[~np.isnan(values)]
    return {
        "feature_name": name,
        "counts": bin_counts(values, list(reference["bin_edges"])),
        "total": float(present.sum()),
        "squares": float((present**2).sum()),
        "present": len(present),
        "outside": int(((present < reference["training_min"]) | (present > reference["training_max"])).sum()),
    }


def _compared(partials: pd.DataFrame, reference: pd.Series[Any], profile: Profile) -> dict[str, object]:
    counts = np.sum(np.vstack(partials["counts"].tolist()), axis=0)
    rows, present = int(counts.sum()), int(partials["present"].sum())
    trained = np.asarray(reference["bin_fractions"]) * float(reference["training_row_count"])
    psi, kl = distances(counts, trained)
    mean = float(partials["total"].sum() / present) if present else None
    spread = reference["training_stddev"]
    shift = abs(mean - reference["training_mean"]) / spread if mean is not None and spread and spread > 0.0 else None
    return {
        "feature_name": reference.name,
        "window_duration_minutes": profile.model.window_duration_minutes,
        "slice_name": "ALL",
        "slice_value": "ALL",
        "model_id": reference["model_id"],
        "model_version": reference["model_version"],
        "ks_statistic": None,
        "ks_p_value": None,
        "psi_value": psi,
        "kl_divergence": kl,
        "mean_shift_sigma": shift,
        "out_of_range_fraction": float(partials["outside"].sum() / present) if present else None,
        "null_rate_delta": 1.0 - present / rows - float(reference["training_null_rate"]) if rows else None,
        "current_mean": mean,
        "current_std": _deviation(partials, present),
        "current_row_count": rows,
        "drift_severity": next((name for limit, name in LIMITS if psi > limit), "none"),
    }


def distances(current: NDArray[Any], trained: NDArray[Any]) -> tuple[float, float]:
    """Population stability index and the larger of both KL divergences (nats); counts per bin, smoothed, normalised."""
    now = (current + SMOOTHING) / (current + SMOOTHING).sum()
    then = (trained + SMOOTHING) / (trained + SMOOTHING).sum()
    ratio = np.log(now / then)
    return float(((now - then) * ratio).sum()), float(max((now * ratio).sum(), -(then * ratio).sum()))


def _deviation(partials: pd.DataFrame, present: int) -> float | None:
    if present < 2:
        return None
    total, squares = float(partials["total"].sum()), float(partials["squares"].sum())
    return float(np.sqrt(max(squares - total * total / present, 0.0) / (present - 1)))
