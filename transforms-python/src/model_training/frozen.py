"""The constants of a version, from its rows, their statistics and the declarations; nothing that changes by itself."""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import metadata
from typing import Any

import numpy as np
import pandas as pd

from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.keys import said
from fleet_health.profiles.model import Profile
from fleet_health.semantic_version import semantic_version
from model_adapters.constants import Constants
from model_training.rows import Floats, LearningRows

RECIPE = 3
"""Raise it when the arithmetic of a training changes while profiles stay as they are."""
PACKAGES = ("numpy", "pandas", "scikit-learn", "scipy")
# A normal spread's standard deviation is 1.4826 times its median absolute deviation.
_MAD_TO_SIGMA = 1.4826


@dataclass(frozen=True)
class Reference:
    """Statistics of the training rows, parallel to ``names``."""

    names: tuple[str, ...]
    medians: tuple[float, ...]
    scales: tuple[float, ...]
    cohort_medians: tuple[Mapping[str, float], ...]


def reference_of(statistics: pd.DataFrame, names: Sequence[str]) -> Reference:
    """Medians and robust spreads of these features, from the rows of ``training_statistics`` of one model."""
    rows = statistics.set_index("feature_name").loc[list(names)]
    spreads = zip(rows["training_mad"], rows["training_stddev"], strict=True)
    return Reference(
        tuple(names),
        tuple(rows["training_p50"].astype("float64").tolist()),
        tuple(_scale(mad, std) for mad, std in spreads),
        _cohort_medians(rows),
    )


def reference_from(vectors: Floats, names: Sequence[str]) -> Reference:
    """The same from the vectors themselves, for rows of which no statistics were kept."""
    medians = np.median(vectors, axis=0)
    spreads = np.median(np.abs(vectors - medians), axis=0)
    pairs = zip(spreads.tolist(), vectors.std(axis=0).tolist(), strict=True)
    return Reference(tuple(names), tuple(medians.tolist()), tuple(_scale(mad, std) for mad, std in pairs), ())


def _cohort_medians(rows: pd.DataFrame) -> tuple[Mapping[str, float], ...]:
    """Per feature, in the order of the rows; nothing at all without cohorts."""
    if "cohort_medians" not in rows or rows["cohort_medians"].isna().all():
        return ()
    return tuple(dict(sorted(one.items())) if isinstance(one, dict) else {} for one in rows["cohort_medians"])


def _scale(mad: float, std: float | None) -> float:
    """Robust spread; the plain one where more than half of the rows are equal; 1 unit where the feature never moved."""
    if mad > 0.0:
        return _MAD_TO_SIGMA * float(mad)
    return float(std) if std is not None and std > 0.0 else 1.0


def threshold_of(scores: Floats, model: ModelSpec | FurtherModel) -> float:
    """The training score above which the declared share of the training rows lies."""
    return float(np.quantile(scores, 1.0 - model.flagged_share.value))


def code_version(model: ModelSpec | FurtherModel) -> int:
    """The semantic version of the training job: another number, another recipe or another declaration."""
    return semantic_version([RECIPE, said(model)])


_version = functools.cache(metadata.version)


def package_versions() -> dict[str, str]:
    """The exact versions that computed the model."""
    return {name: _version(name) for name in PACKAGES}


def frozen(
    model: ModelSpec | FurtherModel,
    profile: Profile,
    rows: LearningRows,
    reference: Reference,
    *,
    fitted_sha256: str,
    threshold: float,
    hyperparameters: Mapping[str, Any],
    raw: tuple[float, float] = (math.nan, math.nan),
    cohort_ids: Sequence[str] = (),
) -> Constants:
    """What is stored beside the fitted part.

    ``raw``: the raw values that become 0 and 1; models per cohort keep them with each member instead.
    """
    fill = "forward_fill, then cohort_median, then median" if reference.cohort_medians else "forward_fill, then median"
    low, high = raw
    scale = {} if math.isnan(low) else {"raw_min": low, "raw_max": high}
    constants: Any = {
        "model_id": model.model_id,
        "model_version": model.model_version,
        "family": model.family,
        "granularity": model.granularity,
        "cohort_ids": list(cohort_ids),
        "window_duration_minutes": model.window_duration_minutes,
        "label_delay_buffer_hours": int(profile.training.label_delay_buffer_hours.value),
        "feature_names": list(reference.names),
        "imputation": dict.fromkeys(reference.names, fill),
        "medians": list(reference.medians),
        "cohort_medians": [dict(one) for one in reference.cohort_medians],
        "scales": list(reference.scales),
        **scale,
        "threshold": threshold,
        "seed": model.seed,
        "training_rows": len(rows.train),
        "training_devices": rows.train.device_count,
        "hyperparameters": dict(hyperparameters),
        "code_version": code_version(model),
        "package_versions": package_versions(),
        "fitted_sha256": fitted_sha256,
    }
    made: Constants = constants
    return made
