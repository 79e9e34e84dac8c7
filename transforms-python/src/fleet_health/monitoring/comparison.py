"""The references of a model version, and the population stability index of a sketch against one of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from fleet_health.monitoring.distances import bands, distances, psi_noise, shares_by_band
from fleet_health.monitoring.errors import BaselineMismatchError
from fleet_health.monitoring.judgement import ALL
from fleet_health.monitoring.lengths import LENGTH, model_of, watched_features
from fleet_health.monitoring.sketch import Layout, Sketch
from fleet_health.monitoring.triage import Movement
from fleet_health.profiles.model import Profile

NOISE = 0.05
"""Half of the lowest limit; where the index of unchanged rows is larger than this on average, nothing is said."""
DAY = 86_400

Array = NDArray[Any]
Part = tuple[str, str]
WHOLE: Part = (ALL, ALL)


@dataclass(frozen=True)
class Reference:
    """What training saw of one feature in one part; ``row`` is that of ``drift_baselines``."""

    counts: Array
    nulls: int
    row: Mapping[str, Any]


@dataclass(frozen=True)
class Period:
    """``until`` is the newest end of a window, seconds since 1970; ``days`` how far the comparison reaches back."""

    until: int
    days: int

    @property
    def start(self) -> int:
        return self.until - self.days * DAY


@dataclass(frozen=True)
class Measured:
    """What was found at one window length.

    Attributes:
        minutes: the length.
        rows: of the contract, without times.
        movements: behind each feature of which something can be said.
        period: what they were measured on.
    """

    minutes: int
    rows: list[dict[str, Any]]
    movements: dict[str, Movement]
    period: Period


def references(
    baselines: pd.DataFrame, profile: Profile, minutes: int
) -> tuple[Layout, dict[Part, dict[str, Reference]]] | None:
    """The newest reference of one window length, of the version that the profile describes.

    Null where the training saw no window of this length, which cannot be for the length that the first model scores.

    Raises:
        BaselineMismatchError: there is none of the first model, or it lacks a feature.
    """
    model = model_of(profile, minutes)
    mine = baselines[
        (baselines["model_id"] == model.model_id)
        & (baselines["model_version"] == model.model_version)
        & (baselines[LENGTH] == minutes)
    ]
    if not len(mine) and minutes != profile.model.window_duration_minutes:
        return None
    mine = mine[mine["computed_at"] == mine["computed_at"].max()] if len(mine) else mine
    found: dict[Part, dict[str, Reference]] = {}
    for record in mine.to_dict("records"):
        row = {str(key): value for key, value in record.items()}
        told = Reference(np.asarray(row["counts"], dtype=np.float64), int(row["null_count"]), row)
        found.setdefault((row["slice_name"], row["slice_value"]), {})[row["feature_name"]] = told
    whole = found.get(WHOLE, {})
    names = watched_features(profile)
    missing = [name for name in names if name not in whole]
    if missing:
        versions = sorted({f"{m} {v}" for m, v in zip(baselines["model_id"], baselines["model_version"], strict=True)})
        named = f"{model.model_id} {model.model_version}"
        raise BaselineMismatchError(profile.profile, named, minutes, missing, versions)
    edges = tuple(np.asarray(whole[name].row["edges"], dtype=np.float64) for name in names)
    origins = tuple(float(whole[name].row["mean"]) if pd.notna(whole[name].row["mean"]) else 0.0 for name in names)
    return Layout(names, edges, origins), found


def indices(sketch: Sketch, place: int, reference: Reference) -> tuple[float, float] | None:
    """Stability index and KL divergence; null where noise alone could be taken for a movement."""
    if psi_noise(sketch.rows, int(reference.row["row_count"])) > NOISE:
        return None
    found = bands(reference.counts, np.asarray(reference.row["edges"]))
    now = shares_by_band(sketch.of(place), sketch.nulls(place), found)
    return distances(now, shares_by_band(reference.counts, reference.nulls, found))


def index(sketch: Sketch, place: int, reference: Reference) -> float | None:
    """Population stability index; null where noise alone could be taken for a movement."""
    found = indices(sketch, place, reference)
    return found and found[0]
