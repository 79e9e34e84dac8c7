"""Training of the isolation forest: one thread, one recorded seed, rows in a fixed order; same rows, same forest."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fleet_health.profiles.model import Profile
from model_adapters.isolation_forest import Constants, IsolationForestAdapter, normalised

# A normal spread's standard deviation is 1.4826 times its median absolute deviation.
_MAD_TO_SIGMA = 1.4826


class NotEnoughTrainingRowsError(ValueError):
    """Too few windows passed the training filters.

    Attributes:
        profile: the fleet.
        rows: what is there.
        needed: what the forest samples per tree.
    """

    def __init__(self, profile: str, rows: int, needed: int) -> None:
        super().__init__(profile, rows, needed)
        self.profile, self.rows, self.needed = profile, rows, needed

    def __str__(self) -> str:
        return (
            f"profile {self.profile!r}: {self.rows} training windows, {self.needed} are needed. "
            "Ingest more fault-free days, declare more of them (model.training_days), or lower model.max_samples."
        )


def train(training_data: pd.DataFrame, statistics: pd.DataFrame, profile: Profile) -> IsolationForestAdapter:
    """The adapter to publish.

    Args:
        training_data: rows of ``training_data`` in any order; vectors without nulls.
        statistics: rows of ``training_statistics`` of the same assembly.
        profile: hyper-parameters, seed and share of flagged windows.

    Raises:
        NotEnoughTrainingRowsError: fewer rows than one tree samples.
    """
    # scikit-learn is slow to import and discovery imports this module
    from sklearn.ensemble import IsolationForest

    model = profile.model
    if len(training_data) < model.max_samples:
        raise NotEnoughTrainingRowsError(profile.profile, len(training_data), model.max_samples)
    rows = training_data.sort_values(["device_id", "window_start"], kind="stable")
    names = [str(name) for name in rows["feature_names"].iloc[0]]
    vectors = np.vstack(rows["feature_vector"].tolist())
    forest = IsolationForest(
        n_estimators=model.n_estimators, max_samples=model.max_samples, random_state=model.seed, n_jobs=1
    ).fit(vectors)
    reference = statistics.set_index("feature_name").loc[names]
    raw = -forest.decision_function(vectors)
    low, high = float(raw.min()), float(raw.max())
    constants: Constants = {
        "model_id": model.model_id,
        "model_version": model.model_version,
        "granularity": "fleet",
        "window_duration_minutes": model.window_duration_minutes,
        "feature_names": names,
        "medians": reference["training_p50"].astype("float64").tolist(),
        "cohort_medians": _cohort_medians(reference),
        "scales": [
            _scale(mad, std) for mad, std in zip(reference["training_mad"], reference["training_stddev"], strict=True)
        ],
        "raw_min": low,
        "raw_max": high,
        "threshold": float(np.quantile(normalised(raw, low, high), 1.0 - model.flagged_share.value)),
        "seed": model.seed,
        "training_rows": len(rows),
    }
    adapter: IsolationForestAdapter = IsolationForestAdapter(forest, constants)
    return adapter


def _cohort_medians(reference: pd.DataFrame) -> list[dict[str, float]]:
    """Per feature, in the order of the rows; no list at all without cohorts."""
    if "cohort_medians" not in reference or reference["cohort_medians"].isna().all():
        return []
    return [dict(sorted(one.items())) if isinstance(one, dict) else {} for one in reference["cohort_medians"]]


def _scale(mad: float, std: float | None) -> float:
    """Robust spread; the plain one where more than half of the rows are equal; 1 unit where the feature never moved."""
    if mad > 0.0:
        return _MAD_TO_SIGMA * float(mad)
    return float(std) if std is not None and std > 0.0 else 1.0
