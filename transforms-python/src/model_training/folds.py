"""Is the model as good at other times? The same training again on expanding windows, each judged by what follows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from fleet_health.contracts.experiments import FOLD
from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.model import Profile
from fleet_health.training_data.split import Cut, folds
from model_training.errors import TrainingRefusedError
from model_training.frozen import reference_from
from model_training.rows import LearningRows

Fit = Callable[..., tuple[Any, int]]


def fold_metrics(
    fit: Fit, rows: LearningRows, model: ModelSpec | FurtherModel, profile: Profile
) -> Mapping[str, float]:
    """``anomaly_rate_validation`` and ``score_mean_validation`` of every fold that has rows on both sides.

    The devices are those that train, because the held-out ones have no windows before the gap; constants come from the
    fold's own training rows. A fold that is too small for the family is left out.
    """
    split, first, last = profile.training.split, rows.train.first, rows.train.last
    found: dict[str, float] = {}
    if split is None or first is None or last is None or not len(rows.validation):
        return found
    for number, fold in enumerate(folds(Cut(first, last), split), start=1):
        train = rows.train.within(None, fold.trained_until)
        judged = rows.train.within(fold.validated_from, fold.validated_until)
        if not len(train) or not len(judged):
            continue
        reference = reference_from(train.vectors, rows.names)
        try:
            adapter, _ = fit(replace(rows, train=train), reference, model, profile)
        except TrainingRefusedError:
            continue
        scores = adapter.scores(judged.vectors, judged.cohorts)
        found[f"anomaly_rate_validation{FOLD}{number}"] = float((scores > adapter.constants["threshold"]).mean())
        found[f"score_mean_validation{FOLD}{number}"] = float(scores.mean())
    return found
