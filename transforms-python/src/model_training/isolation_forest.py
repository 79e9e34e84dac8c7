"""Training of the isolation forest: one thread, one recorded seed, rows in a fixed order; same rows, same forest."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from fleet_health.profiles.families import ModelSpec
from fleet_health.profiles.model import Profile
from model_adapters.arrays import digest
from model_adapters.forest import forest_arrays
from model_adapters.isolation import Isolation
from model_adapters.isolation_forest import IsolationForestAdapter
from model_adapters.window_model import normalised
from model_training.errors import NotEnoughTrainingRowsError, SelfCleaningError
from model_training.frozen import Reference, frozen, threshold_of
from model_training.rows import Floats, LearningRows


def fit_isolation_forest(
    rows: LearningRows, reference: Reference, model: ModelSpec, profile: Profile
) -> tuple[IsolationForestAdapter, int]:
    """The adapter to publish, and how many training rows its own first look took out.

    Raises:
        NotEnoughTrainingRowsError: fewer rows than one tree samples.
        SelfCleaningError: cleaning would take out more than the profile allows.
    """
    # a tree works in single precision; converting once serves the fit and every scoring of the same rows
    vectors = np.ascontiguousarray(rows.train.vectors, dtype=np.float32)
    if len(vectors) < model.max_samples:
        raise NotEnoughTrainingRowsError(profile.profile, len(vectors), model.max_samples)
    forest = _fitted(vectors, model)
    raw = raw_of(forest, vectors)
    kept = np.ones(len(vectors), dtype=bool)
    for _ in range(model.self_cleaning.passes if model.self_cleaning else 0):
        kept = cleaned(raw, kept, model)
        forest = _fitted(vectors[kept], model)
        raw = raw_of(forest, vectors)
    # The scale reaches to the oddest row that was looked at, taken out or not. Were it that of the rows that stayed,
    # each row taken out would score 1.0, and a healthy fleet would raise as many urgent alerts.
    low, high = float(raw.min()), float(raw.max())
    constants = frozen(
        model,
        profile,
        rows,
        reference,
        fitted_sha256=digest(reference.names, forest_arrays(forest)),
        threshold=threshold_of(normalised(raw, low, high), model),
        raw=(low, high),
        hyperparameters={
            "n_estimators": model.n_estimators,
            "max_samples": model.max_samples,
            "max_features": 1.0,
            "bootstrap": False,
            "flagged_share": model.flagged_share.value,
            "self_cleaning": model.self_cleaning.model_dump(exclude={"reason"}) if model.self_cleaning else None,
        },
    )
    return IsolationForestAdapter(forest, constants), int((~kept).sum())


def raw_of(forest: Any, vectors: NDArray[np.float32]) -> Floats:
    """How early the trees isolate a row, as the adapter will see it."""
    return Isolation(forest).raw(vectors)


def cleaned(raw: Floats, kept: NDArray[np.bool_], model: ModelSpec) -> NDArray[np.bool_]:
    """Which rows stay when the oddest of those that are left are taken out; of equally odd ones the first go.

    Raises:
        SelfCleaningError: all passes together would take out more than the profile allows.
    """
    rule = model.self_cleaning
    if rule is None:
        return kept
    left = np.flatnonzero(kept)
    odd = left[np.argsort(-raw[left], kind="stable")[: round(rule.each * len(left))]]
    removed = 1.0 - (len(left) - len(odd)) / len(kept)
    if removed > rule.at_most:
        raise SelfCleaningError(model.model_id, removed, rule.at_most)
    stays = kept.copy()
    stays[odd] = False
    return stays


def _fitted(vectors: NDArray[np.float32], model: ModelSpec) -> Any:
    from sklearn.ensemble import IsolationForest  # slow to import, and discovery imports this module

    return IsolationForest(
        n_estimators=model.n_estimators, max_samples=model.max_samples, random_state=model.seed, n_jobs=1
    ).fit(vectors)
