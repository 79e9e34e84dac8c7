"""The same numbers again, from the transaction that was recorded with them."""

from __future__ import annotations

import pandas as pd
from pyspark.sql import DataFrame

from fleet_health import paths
from fleet_health.feature_store.baselines import baseline_rows
from fleet_health.feature_store.point_in_time import as_of
from fleet_health.feature_store.snapshots import SnapshotReader, read_snapshot
from fleet_health.model_input.cohorts import with_cohorts
from fleet_health.profiles.model import Profile
from fleet_health.training_data.assembly import learned_from, learning_windows
from fleet_health.training_data.described import described_models


def reproduced_statistics(
    features: SnapshotReader,
    snapshot_id: str,
    profile: Profile,
    registry: SnapshotReader | None = None,
    labels: DataFrame | None = None,
) -> pd.DataFrame:
    """``training_statistics`` as the assembly from ``snapshot_id`` wrote it.

    Args:
        features: reads ``device_features`` as it was after a transaction.
        snapshot_id: the one that the statistics, training data and model record.
        profile: as it was then.
        registry: reads ``device_registry`` beside that transaction; needed where the profile has cohorts.
        labels: ``label_events`` of now, where they tell of maintenance; what was recorded later is left out.

    Raises:
        SnapshotGoneError: one of them can no longer be read.
        NoTrainingWindowsError: nothing in it may train.
    """
    source = "device_features" if profile.training.as_of is None else "feature_versions"
    rows = as_of(read_snapshot(features, paths.dataset(profile, source), snapshot_id), profile.training.as_of)
    known = None
    if profile.cohorts is not None and registry is not None:
        known = read_snapshot(registry, paths.dataset(profile, "device_registry"), snapshot_id)
    parted = learning_windows(with_cohorts(rows, known, profile.cohorts), profile, labels)
    # the rows that trained a model, which held them in memory as well
    return described_models(parted.rows.where(learned_from()).toPandas(), profile, snapshot_id).statistics


def reproduced_baselines(
    features: SnapshotReader,
    snapshot_id: str,
    profile: Profile,
    computed_at: pd.Timestamp,
    registry: SnapshotReader | None = None,
    labels: DataFrame | None = None,
) -> pd.DataFrame:
    """The ``feature_baselines`` that were published at ``computed_at``; see :func:`reproduced_statistics`."""
    return baseline_rows(reproduced_statistics(features, snapshot_id, profile, registry, labels), computed_at)
