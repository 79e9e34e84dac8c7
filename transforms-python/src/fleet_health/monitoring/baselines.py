"""``drift_baselines`` from the rows that trained, and the same rows again from the transactions that were recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health import paths
from fleet_health.contracts.monitoring import DRIFT_BASELINES_SCHEMA
from fleet_health.feature_store.point_in_time import as_of
from fleet_health.feature_store.snapshots import read_snapshot, snapshot_of
from fleet_health.model_input.cohorts import cohort
from fleet_health.monitoring.errors import BaselineVersionError
from fleet_health.monitoring.references import SLICES, reference_rows
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from fleet_health.training_data.assembly import learned_from, learning_windows
from fleet_health.training_data.transforms import features_to_train_on, labels_exclude

KEY = ("model_id", "model_version", "snapshot_id")
PROFILES = {paths.dataset(profile, "drift_baselines"): profile for profile in shipped_profiles()}
"""By the dataset that holds their baselines."""


def published_baselines(
    features: Any,
    statistics: DataFrame,
    registry: Any,
    before: DataFrame,
    profile: Profile,
    labels: DataFrame | None = None,
) -> DataFrame:
    """What this training adds to ``before``: nothing when its rows are there already.

    Nothing either when the features have moved on since the training: a reference of other rows than those that trained
    would never be noticed. It is written by the build that trains. ``labels`` as the training read them.
    """
    spark = before.sparkSession
    nothing = spark.createDataFrame([], DRIFT_BASELINES_SCHEMA)
    snapshot = snapshot_of(features, paths.dataset(profile, "device_features"), None)
    model = profile.model
    mine = (F.col("model_id") == model.model_id) & (F.col("model_version") == model.model_version)
    here = mine & (F.col("snapshot_id") == snapshot)
    trained = statistics.where(here).select("snapshot_id").limit(1)
    done = before.where(here).select("snapshot_id").limit(1)
    # one row each at most
    if not trained.collect() or done.collect():
        return nothing
    registered = snapshot_of(registry, paths.dataset(profile, "device_registry"), None)
    rows = made_from(features.dataframe(), registry.dataframe(), profile, snapshot, registered, labels)
    return spark.createDataFrame(rows, DRIFT_BASELINES_SCHEMA)


def made_from(
    features: DataFrame,
    registry: DataFrame,
    profile: Profile,
    snapshot_id: str,
    registry_snapshot_id: str,
    labels: DataFrame | None = None,
) -> pd.DataFrame:
    """The rows of one training, in their order; the windows that train are held in memory, as training holds them."""
    known = registry.select(
        "device_id",
        cohort(profile.cohorts).alias("cohort_id"),
        *(F.col(column) for name, column in SLICES.items() if name != "cohort"),
    )
    named = as_of(features, profile.training.as_of).join(F.broadcast(known), "device_id", "left")
    learned = learning_windows(named, profile, labels).rows.where(learned_from())
    own = learned.where(F.col("window_duration_minutes") == profile.model.window_duration_minutes)
    # the rows that trained a model, which held them in memory as well
    rows = own.toPandas().sort_values(["device_id", "window_start"], kind="stable")
    return reference_rows(rows, profile, snapshot_id, registry_snapshot_id, rows["computed_at"].max())


def recomputed(dataset: str, read: Callable[[str, str | None], DataFrame], recorded: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of one recorded baseline, from the transactions it was made of.

    Args:
        dataset: path of the ``drift_baselines`` that hold it; tells the profile.
        read: gives the rows of a dataset as they were after a transaction, or as they are.
        recorded: ``model_id``, ``model_version``, ``snapshot_id`` and ``registry_snapshot_id``.

    Raises:
        SnapshotGoneError: one of the transactions can no longer be read.
        BaselineVersionError: the profile is of another version by now.
    """
    profile = PROFILES[dataset]
    version = (recorded["model_id"], recorded["model_version"])
    if version != (profile.model.model_id, profile.model.model_version):
        raise BaselineVersionError(
            dataset, " ".join(version), f"{profile.model.model_id} {profile.model.model_version}"
        )
    source, registry = features_to_train_on(profile), paths.dataset(profile, "device_registry")
    snapshot, registered = str(recorded["snapshot_id"]), str(recorded["registry_snapshot_id"])
    rows = read_snapshot(lambda at: read(source, at), source, snapshot)
    devices = read_snapshot(lambda at: read(registry, at), registry, registered)
    # what was recorded after the training is left out, so those of now do
    labels = read(paths.dataset(profile, "label_events"), None) if labels_exclude(profile) else None
    return made_from(rows, devices, profile, snapshot, registered, labels)
