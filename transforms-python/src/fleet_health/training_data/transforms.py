"""Windows to training rows and their statistics, for every profile."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.training import (
    STATISTICS_SCHEMA,
    TRAINING_EXCLUSIONS_SCHEMA,
)
from fleet_health.feature_store.labels import refuse_unknown_words
from fleet_health.feature_store.point_in_time import as_of
from fleet_health.feature_store.snapshots import snapshot_of
from fleet_health.model_input.cohorts import with_cohorts
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from fleet_health.training_data.assembly import (
    exclusion_rows,
    frozen_constants,
    training_exclusions,
    training_rows,
)
from fleet_health.training_data.selection import eligible_windows
from fleet_health.training_data.statistics import training_statistics
from transforms.api import Input, Output, Transform, transform


def features_to_train_on(profile: Profile) -> str:
    """The newest rows; where an instant is pinned, every version of them, because the newest may be younger."""
    return paths.dataset(profile, "device_features" if profile.training.as_of is None else "feature_versions")


def assembly_transform(profile: Profile) -> Transform:
    """Training rows are some hundred thousand at most, so their statistics are computed on the driver, exactly."""
    source = features_to_train_on(profile)
    optional = {}
    if profile.cohorts is not None:
        optional["registry"] = Input(paths.dataset(profile, "device_registry"))
    if profile.training.join_labels:
        optional["labels"] = Input(paths.dataset(profile, "label_events"))
    outputs = {
        "data": Output(paths.dataset(profile, "training_data"), checks=checks_of("training_data", profile)),
        "statistics": Output(
            paths.dataset(profile, "training_statistics"), checks=checks_of("training_statistics", profile)
        ),
        "exclusions": Output(
            paths.dataset(profile, "training_exclusions"), checks=checks_of("training_exclusions", profile)
        ),
    }

    def assemble(ctx: Any, features: Any, registry: Any, labels: Any, outputs: dict[str, Any]) -> None:
        spark = ctx.spark_session
        snapshot = snapshot_of(features, source, profile.training.snapshot_id)
        known: DataFrame | None = labels and labels.dataframe()
        if known is not None:
            refuse_unknown_words(known, paths.dataset(profile, "label_events"))
        instant = profile.training.as_of
        read = features.dataframe() if instant is None else as_of(features.dataframe(), instant)
        rows = with_cohorts(read, registry and registry.dataframe(), profile.cohorts)
        eligible = eligible_windows(rows, profile)
        # the forest holds these same rows in memory when it trains on them
        described = training_statistics(eligible.toPandas(), profile, snapshot)
        outputs["statistics"].write_dataframe(spark.createDataFrame(described, STATISTICS_SCHEMA))
        made = training_rows(rows, frozen_constants(described, profile), snapshot, profile, known).persist()
        try:
            outputs["data"].write_dataframe(made)
            # one row: how many, and when
            total, assembled_at = made.agg(F.count("*"), F.max("assembled_at")).collect()[0]
        finally:
            made.unpersist()
        counts = exclusion_rows(training_exclusions(rows, total, profile), snapshot, assembled_at)
        outputs["exclusions"].write_dataframe(spark.createDataFrame(counts, TRAINING_EXCLUSIONS_SCHEMA))

    @transform(features=Input(source), **optional, **outputs)
    def assemble_training_data(
        ctx: Any, features: Any, data: Any, statistics: Any, exclusions: Any, registry: Any = None, labels: Any = None
    ) -> None:
        assemble(ctx, features, registry, labels, {"data": data, "statistics": statistics, "exclusions": exclusions})

    assemble_training_data.__name__ = f"{profile.profile}_assemble_training_data"
    return assemble_training_data


TRANSFORMS = [assembly_transform(profile) for profile in shipped_profiles()]
