"""``drift_baselines`` from the rows that trained, and the same rows again from the transactions that were recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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
from fleet_health.monitoring.lengths import LENGTH, lengths, model_of
from fleet_health.monitoring.references import SLICES, reference_rows
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from fleet_health.training_data.assembly import learned_beside, learned_from, learning_windows
from fleet_health.training_data.transforms import features_to_train_on

VERSION = ("model_id", "model_version")
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
    """What this training adds to ``before``: nothing of a window length whose rows are there already.

    Nothing either when the features have moved on since the training: a reference of other rows than those that trained
    would never be noticed. It is written by the build that trains. ``labels`` as the training read them.
    """
    spark = before.sparkSession
    nothing = spark.createDataFrame([], DRIFT_BASELINES_SCHEMA)
    snapshot = snapshot_of(features, paths.dataset(profile, "device_features"), None)
    here = F.col("snapshot_id") == snapshot
    # a row per model
    trained = {tuple(row) for row in statistics.where(here).select(*VERSION).distinct().collect()}
    # a row per model and length
    done = {tuple(row) for row in before.where(here).select(*VERSION, LENGTH).distinct().collect()}
    versions = {minutes: _version(profile, minutes) for minutes in lengths(profile)}
    asked = [one for one, version in versions.items() if version in trained and (*version, one) not in done]
    if not asked:
        return nothing
    registered = snapshot_of(registry, paths.dataset(profile, "device_registry"), None)
    rows = made_from(features.dataframe(), registry.dataframe(), profile, asked, snapshot, registered, labels)
    return spark.createDataFrame(rows, DRIFT_BASELINES_SCHEMA) if len(rows) else nothing


def _version(profile: Profile, minutes: int) -> tuple[str, str]:
    model = model_of(profile, minutes)
    return model.model_id, model.model_version


def made_from(
    features: DataFrame,
    registry: DataFrame,
    profile: Profile,
    asked: Sequence[int],
    snapshot_id: str,
    registry_snapshot_id: str,
    labels: DataFrame | None = None,
) -> pd.DataFrame:
    """The rows of one training for the window lengths ``asked``, in their order; a length without windows has none.

    The windows that train are held in memory, as training holds them. Of a length that trains nothing it is those of
    the same devices and the same span.
    """
    known = registry.select(
        "device_id",
        cohort(profile.cohorts).alias("cohort_id"),
        *(F.col(column) for name, column in SLICES.items() if name != "cohort"),
    )
    named = as_of(features, profile.training.as_of).join(F.broadcast(known), "device_id", "left")
    found = learning_windows(named, profile, labels)
    learned = found.rows.where(learned_from() & F.col(LENGTH).isin(*asked))
    untrained = [one for one in asked if one not in profile.training_lengths]
    if untrained:
        learned = learned.unionByName(learned_beside(named, found.cut, profile, untrained, labels))
    # the rows that trained models, which held them in memory as well
    every = learned.toPandas().sort_values(["device_id", "window_start"], kind="stable")
    parts = {minutes: every[every[LENGTH] == minutes] for minutes in asked}
    made = [
        reference_rows(rows, profile, minutes, snapshot_id, registry_snapshot_id, rows["computed_at"].max())
        for minutes, rows in parts.items()
        if len(rows)
    ]
    return pd.concat(made, ignore_index=True) if made else pd.DataFrame(columns=DRIFT_BASELINES_SCHEMA.fieldNames())


def recomputed(dataset: str, read: Callable[[str, str | None], DataFrame], recorded: Mapping[str, Any]) -> pd.DataFrame:
    """The rows of one recorded baseline, of one window length, from the transactions it was made of.

    Args:
        dataset: path of the ``drift_baselines`` that hold it; tells the profile.
        read: gives the rows of a dataset as they were after a transaction, or as they are.
        recorded: ``model_id``, ``model_version``, ``window_duration_minutes``, ``snapshot_id`` and
            ``registry_snapshot_id``.

    Raises:
        SnapshotGoneError: one of the transactions can no longer be read.
        BaselineVersionError: the profile is of another version by now, or has no windows of that length.
    """
    profile = PROFILES[dataset]
    minutes, version = int(recorded[LENGTH]), (recorded["model_id"], recorded["model_version"])
    if minutes not in profile.windows_minutes or version != _version(profile, minutes):
        raise BaselineVersionError(dataset, " ".join(version), minutes, " ".join(_version(profile, minutes)))
    source, registry = features_to_train_on(profile), paths.dataset(profile, "device_registry")
    snapshot, registered = str(recorded["snapshot_id"]), str(recorded["registry_snapshot_id"])
    rows = read_snapshot(lambda at: read(source, at), source, snapshot)
    devices = read_snapshot(lambda at: read(registry, at), registry, registered)
    # what was recorded after the training is left out, so those of now do
    labels = read(paths.dataset(profile, "label_events"), None) if profile.labels_tell_maintenance else None
    return made_from(rows, devices, profile, [minutes], snapshot, registered, labels)
