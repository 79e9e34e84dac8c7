"""Windows to training rows and their statistics, for every profile."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.experiments import regression_schema
from fleet_health.contracts.training import (
    STATISTICS_SCHEMA,
    TRAINING_EXCLUSIONS_SCHEMA,
)
from fleet_health.feature_store.labels import refuse_unknown_words
from fleet_health.feature_store.point_in_time import as_of
from fleet_health.feature_store.snapshots import snapshot_of
from fleet_health.model_input.cohorts import with_cohorts
from fleet_health.profiles.definitions import formula_version
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from fleet_health.training_data.assembly import learned_from, learning_windows, training_rows
from fleet_health.training_data.described import described_models
from fleet_health.training_data.exclusions import exclusion_rows, training_exclusions
from fleet_health.training_data.regression_set import refuse_changed, regression_set
from fleet_health.training_data.statistics import of_model
from transforms.api import Input, Output, Transform, incremental, transform


def features_to_train_on(profile: Profile) -> str:
    """The newest rows; where an instant is pinned, every version of them, because the newest may be younger."""
    return paths.dataset(profile, "device_features" if profile.training.as_of is None else "feature_versions")


def assembly_transform(profile: Profile) -> Transform:
    """Training rows are some hundred thousand at most, so their statistics are computed on the driver, exactly."""
    source = features_to_train_on(profile)
    optional = {}
    if profile.cohorts is not None:
        optional["registry"] = Input(paths.dataset(profile, "device_registry"))
    if profile.labels_tell_maintenance or profile.training.join_labels:
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
        found = learning_windows(rows, profile, known if profile.labels_tell_maintenance else None)
        # the models hold these same rows in memory when they train on them
        described = described_models(found.rows.where(learned_from()).toPandas(), profile, snapshot)
        outputs["statistics"].write_dataframe(spark.createDataFrame(described.statistics, STATISTICS_SCHEMA))
        joined = known if profile.training.join_labels else None
        made = training_rows(found.rows, read, described.constants, snapshot, profile, joined).persist()
        try:
            outputs["data"].write_dataframe(made)
            totals = made.groupBy("window_duration_minutes").agg(
                F.count("*").alias("rows"), F.max("assembled_at").alias("at")
            )
            # one row per window length: how many, and when
            written = totals.toPandas().set_index("window_duration_minutes")
        finally:
            made.unpersist()
        per_length = {minutes: int(written["rows"].get(minutes, 0)) for minutes in profile.training_lengths}
        left_out = training_exclusions(found.counts, per_length)
        listed = exclusion_rows(left_out, snapshot, written["at"].max(), found.cut.unsplit)
        outputs["exclusions"].write_dataframe(spark.createDataFrame(listed, TRAINING_EXCLUSIONS_SCHEMA))

    @transform(features=Input(source), **optional, **outputs)
    def assemble_training_data(
        ctx: Any, features: Any, data: Any, statistics: Any, exclusions: Any, registry: Any = None, labels: Any = None
    ) -> None:
        assemble(ctx, features, registry, labels, {"data": data, "statistics": statistics, "exclusions": exclusions})

    assemble_training_data.__name__ = f"{profile.profile}_assemble_training_data"
    return assemble_training_data


def regression_set_transform(profile: Profile) -> Transform:
    """Written once; every later run only looks whether it is still the same. New features are a new set."""
    schema = regression_schema(profile)
    name = paths.dataset(profile, "regression_test_features")

    @incremental(semantic_version=formula_version(profile), snapshot_inputs=["statistics"])
    @transform(
        statistics=Input(paths.dataset(profile, "training_statistics")),
        fixed=Output(name, checks=checks_of("regression_test_features", profile)),
    )
    def keep_regression_set(ctx: Any, statistics: Any, fixed: Any) -> None:
        # a thousand rows
        before = fixed.dataframe("previous", schema).toPandas()
        if len(before):
            refuse_changed(before, name, profile)
            fixed.write_dataframe(ctx.spark_session.createDataFrame([], schema))
            return
        # one row per feature
        described = of_model(statistics.dataframe().toPandas(), profile.model.model_id)
        rows = regression_set(described, profile).astype(object)
        fixed.write_dataframe(ctx.spark_session.createDataFrame(rows.where(rows.notna(), None), schema))

    keep_regression_set.__name__ = f"{profile.profile}_keep_regression_set"
    return keep_regression_set


def for_profile(profile: Profile) -> list[Transform]:
    return [assembly_transform(profile), regression_set_transform(profile)]


TRANSFORMS = [one for profile in shipped_profiles() for one in for_profile(profile)]
