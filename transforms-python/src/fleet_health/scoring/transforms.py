"""What is said about scores: detection, the log of runs and who stands in while no model scores, for every profile."""

from __future__ import annotations

from typing import Any

from pyspark.sql import DataFrame

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.runs import RUNS_SCHEMA
from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from fleet_health.scoring.detection import detection_report
from fleet_health.scoring.runs import facts_of, next_run, scores_standing_in
from transforms.api import Input, Output, Transform, incremental, transform, transform_df


def detection_transform(profile: Profile) -> Transform:
    @transform_df(
        Output(paths.dataset(profile, "detection_report"), checks=checks_of("detection_report", profile)),
        scores=Input(paths.dataset(profile, "model_scores")),
        labels=Input(paths.dataset(profile, "label_events")),
    )
    def report_detection(scores: DataFrame, labels: DataFrame) -> DataFrame:
        return detection_report(scores, labels, profile)

    return report_detection


def run_log_transform(profile: Profile, spec: ModelSpec | FurtherModel) -> Transform:
    """To be scheduled after scoring, whether it succeeded or not: in a build of its own it runs in both cases."""

    @incremental(snapshot_inputs=["raw", "features", "scores", "registry", "exclusions", "releases"])
    @transform(
        raw=Input(paths.dataset(profile, "raw_sensor_readings")),
        features=Input(paths.dataset(profile, "device_features")),
        scores=Input(paths.of_model(profile, spec, "model_scores")),
        registry=Input(paths.dataset(profile, "device_registry")),
        exclusions=Input(paths.of_model(profile, spec, "model_input_exclusions")),
        releases=Input(paths.dataset(profile, "model_release_config")),
        log=Output(
            paths.of_model(profile, spec, "scoring_run_metrics"), checks=checks_of("scoring_run_metrics", profile)
        ),
    )
    def log_scoring_run(
        ctx: Any, raw: Any, features: Any, scores: Any, registry: Any, exclusions: Any, releases: Any, log: Any
    ) -> None:
        looked_at = (raw.dataframe(), features.dataframe(), scores.dataframe(), registry.dataframe())
        before = log.dataframe("previous", schema=RUNS_SCHEMA)
        facts = facts_of(*looked_at, exclusions.dataframe(), releases.dataframe(), profile, spec, before)
        log.write_dataframe(next_run(ctx.spark_session, facts, before, profile))

    log_scoring_run.__name__ = paths.job(profile, spec, "log_scoring_run")
    return log_scoring_run


def fallback_transform(profile: Profile) -> Transform:
    @transform_df(
        Output(paths.dataset(profile, "fallback_scores"), checks=checks_of("fallback_scores", profile)),
        features=Input(paths.dataset(profile, "device_features")),
        log=Input(paths.dataset(profile, "scoring_run_metrics")),
    )
    def stand_in(features: DataFrame, log: DataFrame) -> DataFrame:
        return scores_standing_in(features, log, profile)

    return stand_in


def for_profile(profile: Profile) -> list[Transform]:
    made: list[Transform] = []
    # the report compares whole days, which only an inventory of days can tell it
    by_day = profile.labels is not None and profile.labels.format == "inventory"
    made += [detection_transform(profile)] if by_day else []
    made += [fallback_transform(profile)] if profile.fallback else []
    for one in made:
        one.__name__ = f"{profile.profile}_{one.__name__}"
    logged = profile.every_model if profile.staleness else ()
    return [*made, *(run_log_transform(profile, spec) for spec in logged)]


TRANSFORMS = [one for profile in shipped_profiles() for one in for_profile(profile)]
