"""Definitions, baselines, properties and the check that all of them agree, for every profile."""

from __future__ import annotations

from typing import Any

from pyspark.sql import functions as F

from fleet_health import paths
from fleet_health.contracts.baselines import BASELINES_SCHEMA, DEFINITIONS_SCHEMA
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.consistency import CONSISTENCY_SCHEMA
from fleet_health.contracts.schemas import schema_of
from fleet_health.feature_store.baselines import baseline_rows, unpublished
from fleet_health.feature_store.consistency import consistency
from fleet_health.feature_store.exemplars import exemplars, new_failures
from fleet_health.feature_store.labels import join_integrity, refuse_orphans
from fleet_health.feature_store.properties import device_properties
from fleet_health.feature_store.versions import new_definitions, refuse_changed_definitions
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from transforms.api import Input, Output, Transform, incremental, transform


def definitions_transform(profile: Profile) -> Transform:
    """Reads nothing but what it recorded before, so that a changed formula is refused before anything is computed."""

    @incremental(semantic_version=1)
    @transform(
        definitions=Output(
            paths.dataset(profile, "feature_definitions"), checks=checks_of("feature_definitions", profile)
        )
    )
    def record_feature_definitions(ctx: Any, definitions: Any) -> None:
        # one row per feature
        earlier = definitions.dataframe("previous", DEFINITIONS_SCHEMA).select("feature_name", "formula").collect()
        recorded = {row["feature_name"]: row["formula"] for row in earlier}
        refuse_changed_definitions(recorded, profile)
        added = new_definitions(recorded, profile)
        definitions.write_dataframe(ctx.spark_session.createDataFrame(added, DEFINITIONS_SCHEMA))

    return record_feature_definitions


def baselines_transform(profile: Profile) -> Transform:
    """Rows of every assembly stay; the same assembly again adds none."""

    @incremental(semantic_version=1, snapshot_inputs=["statistics", "data"])
    @transform(
        statistics=Input(paths.dataset(profile, "training_statistics")),
        data=Input(paths.dataset(profile, "training_data")),
        baselines=Output(paths.dataset(profile, "feature_baselines"), checks=checks_of("feature_baselines", profile)),
    )
    def publish_baselines(ctx: Any, statistics: Any, data: Any, baselines: Any) -> None:
        # one row per feature
        described = statistics.dataframe().toPandas()
        # one row: the time of the assembly
        computed_at = data.dataframe().agg(F.max("assembled_at").alias("at")).toPandas()["at"].iloc[0]
        rows = ctx.spark_session.createDataFrame(baseline_rows(described, computed_at), BASELINES_SCHEMA)
        baselines.write_dataframe(unpublished(rows, baselines.dataframe("previous", BASELINES_SCHEMA)))

    return publish_baselines


def properties_transform(profile: Profile) -> Transform:
    optional = {}
    if any(one.score for one in profile.properties):
        optional["scores"] = Input(paths.dataset(profile, "model_scores"))

    @transform(
        features=Input(paths.dataset(profile, "device_features")),
        properties=Output(paths.dataset(profile, "device_properties"), checks=checks_of("device_properties", profile)),
        **optional,
    )
    def refresh_properties(features: Any, properties: Any, scores: Any = None) -> None:
        properties.write_dataframe(device_properties(features.dataframe(), profile, scores and scores.dataframe()))

    return refresh_properties


def consistency_transform(profile: Profile) -> Transform:
    """Its rows are kept, one set per data time."""
    optional = {}
    if profile.properties:
        optional["properties"] = Input(paths.dataset(profile, "device_properties"))
    whole = ["features", "vectors", *optional]

    @incremental(semantic_version=1, snapshot_inputs=whole)
    @transform(
        features=Input(paths.dataset(profile, "device_features")),
        vectors=Input(paths.dataset(profile, "model_input")),
        metrics=Output(
            paths.dataset(profile, "consistency_check_metrics"), checks=checks_of("consistency_check_metrics", profile)
        ),
        **optional,
    )
    def check_consistency(features: Any, vectors: Any, metrics: Any, properties: Any = None) -> None:
        rows = consistency(features.dataframe(), vectors.dataframe(), properties and properties.dataframe(), profile)
        done = metrics.dataframe("previous", CONSISTENCY_SCHEMA).select("check_id", "checked_at", "feature_name")
        metrics.write_dataframe(rows.join(F.broadcast(done), done.columns, "left_anti"))

    return check_consistency


def label_alerts_transform(profile: Profile) -> Transform:
    """Beside the main way, because alerts come after the training that may have read the labels."""
    named = tuple(paths.dataset(profile, name) for name in ("label_events", "device_alerts"))

    @transform(
        labels=Input(named[0]),
        alerts=Input(named[1]),
        integrity=Output(
            paths.dataset(profile, "label_join_integrity"), checks=checks_of("label_join_integrity", profile)
        ),
    )
    def check_label_alerts(labels: Any, alerts: Any, integrity: Any) -> None:
        recorded, raised = labels.dataframe(), alerts.dataframe()
        refuse_orphans(recorded, raised, named[0], named[1])
        integrity.write_dataframe(join_integrity(recorded, raised))

    return check_label_alerts


def exemplars_transform(profile: Profile) -> Transform:
    """Never made anew: a copy stays when its windows, or the label that asked for it, are gone."""

    @incremental(snapshot_inputs=["labels", "features"], require_incremental=True)
    @transform(
        labels=Input(paths.dataset(profile, "label_events")),
        features=Input(paths.dataset(profile, "device_features")),
        kept=Output(paths.dataset(profile, "failure_exemplars"), checks=checks_of("failure_exemplars", profile)),
    )
    def keep_failures(ctx: Any, labels: Any, features: Any, kept: Any) -> None:
        before = kept.dataframe("previous", schema_of("failure_exemplars", profile))
        windows = features.dataframe()
        failures = new_failures(labels.dataframe(), windows, before, profile)
        if failures is not None:
            kept.write_dataframe(exemplars(failures, windows, profile))
        elif ctx.is_incremental:
            ctx.abort_job()
        else:
            kept.write_dataframe(before.limit(0))

    return keep_failures


def for_profile(profile: Profile) -> list[Transform]:
    made = [definitions_transform(profile), baselines_transform(profile), consistency_transform(profile)]
    made += [properties_transform(profile)] if profile.properties else []
    # an inventory of known faults was written before there was any alert
    made += [label_alerts_transform(profile)] if profile.labels_tell_maintenance else []
    made += [exemplars_transform(profile)] if profile.exemplars else []
    for one in made:
        one.__name__ = f"{profile.profile}_{one.__name__}"
    return made


TRANSFORMS = [one for profile in shipped_profiles() for one in for_profile(profile)]
