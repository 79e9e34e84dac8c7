"""Training of the statistical baseline: medians and spreads are already there; only its scale is learned."""

from __future__ import annotations

import numpy as np

from fleet_health.profiles.families import StatisticalBaseline
from fleet_health.profiles.model import Profile
from model_adapters.arrays import digest
from model_adapters.statistical_baseline import StatisticalBaselineAdapter, reference_arrays
from model_adapters.window_model import normalised, robust_distances
from model_training.errors import NotEnoughTrainingRowsError
from model_training.frozen import Reference, frozen, threshold_of
from model_training.rows import LearningRows

SCALE = (0.5, 0.999)
"""Training percentiles that become 0 and 1. All of them would make scores uniform: one window in twenty above 0.95."""
ROWS_MIN = 100
"""Below it the 99.9th percentile is the largest value, whatever that is."""


def fit_statistical_baseline(
    rows: LearningRows, reference: Reference, model: StatisticalBaseline, profile: Profile
) -> tuple[StatisticalBaselineAdapter, int]:
    """The adapter to publish; it takes out no rows, because medians do not follow the odd ones.

    Raises:
        NotEnoughTrainingRowsError: too few rows for its percentiles.
    """
    if len(rows.train) < ROWS_MIN:
        raise NotEnoughTrainingRowsError(profile.profile, len(rows.train), ROWS_MIN)
    raw = robust_distances(rows.train.vectors, reference.medians, reference.scales).max(axis=1)
    low, high = (float(one) for one in np.quantile(raw, SCALE))
    constants = frozen(
        model,
        profile,
        rows,
        reference,
        fitted_sha256=digest(reference.names, reference_arrays(reference.medians, reference.scales)),
        threshold=threshold_of(normalised(raw, low, high), model),
        raw=(low, high),
        hyperparameters={
            "centre": "median",
            "spread": "1.4826 * median absolute deviation",
            "aggregate": "largest absolute z",
            "flagged_share": model.flagged_share.value,
        },
    )
    return StatisticalBaselineAdapter(constants), 0
