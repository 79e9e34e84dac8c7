"""From training rows to a model that was measured and judged: the same way for every family."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.model import Profile
from fleet_health.training_data.statistics import of_model
from model_adapters.window_model import WindowModelAdapter
from model_training.autoencoder import fit_autoencoder
from model_training.dbscan_cohort import fit_dbscan_cohort
from model_training.errors import DegenerateModelError
from model_training.folds import fold_metrics
from model_training.frozen import reference_of
from model_training.isolation_forest import fit_isolation_forest
from model_training.metrics import measured
from model_training.rows import LearningRows, learning_rows
from model_training.statistical_baseline import fit_statistical_baseline

RATE_LIMITS = (0.005, 0.20)
"""Share of flagged validation windows outside of which a model is degenerate: it says nothing, or cries wolf."""
_FAMILIES: Mapping[str, Callable[..., tuple[Any, int]]] = {
    "isolation_forest": fit_isolation_forest,
    "statistical_baseline": fit_statistical_baseline,
    "autoencoder": fit_autoencoder,
    "dbscan_cohort": fit_dbscan_cohort,
}


@dataclass(frozen=True)
class Trained:
    """``removed``: training rows that self-cleaning took out; ``metrics``: every figure of the run by name."""

    adapter: WindowModelAdapter
    rows: LearningRows
    removed: int
    metrics: Mapping[str, float] = field(default_factory=dict)


def train(
    data: pd.DataFrame, statistics: pd.DataFrame, profile: Profile, model: ModelSpec | FurtherModel | None = None
) -> WindowModelAdapter:
    """The adapter to publish; see :func:`fitted`."""
    return fitted(data, statistics, profile, model).adapter


def fitted(
    data: pd.DataFrame, statistics: pd.DataFrame, profile: Profile, model: ModelSpec | FurtherModel | None = None
) -> Trained:
    """A trained model, not measured yet.

    Args:
        data: rows of ``training_data`` of the model's window length, in any order.
        statistics: ``training_statistics`` of the same assembly.
        profile: declares the models.
        model: which of them; the first one by default.

    Raises:
        TrainingRefusedError: see ``errors.py``.
    """
    model = model or profile.model
    rows = learning_rows(data, profile.features_of(model), model.model_id, profile.profile)
    reference = reference_of(of_model(statistics, model.model_id), rows.names)
    adapter, removed = _FAMILIES[model.family](rows, reference, model, profile)
    return Trained(adapter, rows, removed)


def run(
    data: pd.DataFrame,
    statistics: pd.DataFrame,
    profile: Profile,
    model: ModelSpec | FurtherModel | None = None,
    stopwatch: Callable[[], float] = time.perf_counter,
) -> Trained:
    """A trained and measured model; ``stopwatch`` gives seconds, and what it says never enters the model."""
    start = stopwatch()
    made = fitted(data, statistics, profile, model)
    seconds = stopwatch() - start
    model = model or profile.model
    found = {
        "training_time_seconds": seconds,
        **measured(made.adapter, made.rows, stopwatch),
        **fold_metrics(_FAMILIES[model.family], made.rows, model, profile),
    }
    return Trained(made.adapter, made.rows, made.removed, found)


def refuse_degenerate(model_id: str, metrics: Mapping[str, float]) -> None:
    """Raises :class:`DegenerateModelError` when the validation rate lies outside :data:`RATE_LIMITS`.

    Without validation there is no rate, and nothing is said about it.
    """
    rate = metrics.get("anomaly_rate_validation")
    low, high = RATE_LIMITS
    if rate is not None and not low <= rate <= high:
        raise DegenerateModelError(model_id, rate, low, high)
