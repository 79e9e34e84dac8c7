"""What the rows that train look like, for every model, and the constants that fill their gaps."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from fleet_health.model_input.imputation import FillConstants
from fleet_health.profiles.model import Profile
from fleet_health.training_data.statistics import no_windows, training_statistics


@dataclass(frozen=True)
class Described:
    """``statistics``: rows of contract 3c, of every model that has training rows. ``constants``: by window length."""

    statistics: pd.DataFrame
    constants: dict[int, FillConstants]


def frozen_constants(statistics: pd.DataFrame, profile: Profile, names: tuple[str, ...] | None = None) -> FillConstants:
    """Training medians in vector order; a feature that was never present has none and no place in the vector.

    ``names``: the vector, where it is more than the first model's features.
    """
    rows = statistics.set_index("feature_name").dropna(subset=["training_p50"])
    listed = tuple(name for name in names or profile.model_features if name in rows.index)
    cohorts = [rows.at[name, "cohort_medians"] for name in listed] if profile.cohorts else []
    return FillConstants(
        listed,
        tuple(float(rows.at[name, "training_p50"]) for name in listed),
        tuple(dict(one) if isinstance(one, dict) else {} for one in cohorts),
    )


def described_models(rows: pd.DataFrame, profile: Profile, snapshot_id: str) -> Described:
    """Statistics and constants of the rows that train.

    Args:
        rows: windows of every length that models learn from, one column per feature, with ``cohort_id``.
        profile: the models.
        snapshot_id: the transaction that was read.

    Returns:
        one vector for all lengths: the first model's features, then what others add, without those that some length
        never saw. A length without rows is left out; its models have nothing to learn from and say so.

    Raises:
        NoTrainingWindowsError: the first model has no rows.
    """
    wanted = tuple(dict.fromkeys(name for model in profile.every_model for name in profile.features_of(model)))
    whole = profile.model.model_copy(update={"features": wanted})
    tables = {
        minutes: training_statistics(part, profile, snapshot_id, whole)
        for minutes in profile.training_lengths
        if len(part := rows[rows["window_duration_minutes"] == minutes])
    }
    if profile.model.window_duration_minutes not in tables:
        raise no_windows(profile)
    fills = {minutes: frozen_constants(table, profile, wanted) for minutes, table in tables.items()}
    shared = tuple(name for name in wanted if all(name in fill.names for fill in fills.values()))
    statistics = []
    for model in profile.every_model:
        table = tables.get(model.window_duration_minutes)
        if table is not None:
            own = table.set_index("feature_name", drop=False).loc[list(profile.features_of(model))]
            named = {"model_id": model.model_id, "model_version": model.model_version}
            minutes = model.window_duration_minutes
            statistics.append(own.assign(**named, window_duration_minutes=minutes).reset_index(drop=True))
    constants = {minutes: frozen_constants(table, profile, shared) for minutes, table in tables.items()}
    return Described(pd.concat(statistics, ignore_index=True), constants)
