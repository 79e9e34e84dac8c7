"""Training rows to published models, and the log of how that went, for every profile."""

from __future__ import annotations

import logging
from typing import Any

import pandas as pd
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from fleet_health import paths
from fleet_health.contracts.compiled import checks_of
from fleet_health.contracts.experiments import LOG_SCHEMA, METRICS_SCHEMA, RUNS_SCHEMA, TRAININGS_SCHEMA
from fleet_health.profiles.families import FurtherModel, ModelSpec
from fleet_health.profiles.loader import shipped_profiles
from fleet_health.profiles.model import Profile
from model_training.errors import TrainingRefusedError
from model_training.log import joined, new_experiments, new_metrics, new_trainings
from model_training.promotions import new_changes
from model_training.record import Assembly, experiment_name, parameters, run_row
from model_training.training import Trained, refuse_degenerate, run
from palantir_models.transforms import ModelOutput
from transforms.api import Input, Output, Transform, incremental, transform

LOGGER = logging.getLogger(__name__)


def training_transform(profile: Profile, spec: ModelSpec | FurtherModel) -> Transform:
    """One job per family, so that each is trained at its own pace and a refusal of one keeps no other from training.

    What is refused publishes nothing: the last version stays, and the record and the driver log say why.
    """

    @transform(
        data=Input(paths.dataset(profile, "training_data")),
        statistics=Input(paths.dataset(profile, "training_statistics")),
        exclusions=Input(paths.dataset(profile, "training_exclusions")),
        model=ModelOutput(paths.model(profile, spec.model_id)),
        experiment=Output(paths.experiment(profile, spec.model_id), checks=checks_of("experiment_runs", profile)),
    )
    def train_model(ctx: Any, data: Any, statistics: Any, exclusions: Any, model: Any, experiment: Any) -> None:
        own = F.col("window_duration_minutes") == spec.window_duration_minutes
        # one row per model and feature, and one per reason
        assembly = Assembly(statistics.dataframe().toPandas(), exclusions.dataframe().where(own).toPandas())
        trained: Trained | None = None
        refusal: TrainingRefusedError | None = None
        try:
            # scikit-learn trains in the memory of one machine
            trained = run(data.dataframe().where(own).toPandas(), assembly.statistics, profile, spec)
            refuse_degenerate(spec.model_id, trained.metrics)
        except TrainingRefusedError as error:
            refusal = error
        row = run_row(profile, spec, assembly, trained, refusal)
        if trained is not None and refusal is None:
            log = model.create_experiment(experiment_name(spec, assembly.assembled_at))
            log.log_params(parameters(row))
            log.log_metrics(trained.metrics)
            model.publish(model_adapter=trained.adapter, experiment=log)
        else:
            LOGGER.warning("%s was not published: %s", spec.model_id, refusal)
        experiment.write_dataframe(ctx.spark_session.createDataFrame([tuple(row.values())], RUNS_SCHEMA))

    train_model.__name__ = f"{profile.profile}_train_{spec.family}"
    return train_model


def trainings_transform(profile: Profile) -> Transform:
    """Needs nothing but trainings, so that none is lost while nothing was released yet."""
    families = {spec.family: Input(paths.experiment(profile, spec.model_id)) for spec in profile.every_model}

    @incremental(semantic_version=1, snapshot_inputs=list(families))
    @transform(
        trainings=Output(
            paths.dataset(profile, "experiment_trainings"), checks=checks_of("experiment_trainings", profile)
        ),
        **families,
    )
    def log_trainings(ctx: Any, trainings: Any, **runs: Any) -> None:
        # one row per family
        found = pd.concat([run.dataframe().toPandas() for run in runs.values()], ignore_index=True)
        # one row per training so far
        before = trainings.dataframe("previous", schema=TRAININGS_SCHEMA).toPandas()
        trainings.write_dataframe(_frame(ctx, new_trainings(found, before), TRAININGS_SCHEMA))

    log_trainings.__name__ = f"{profile.profile}_log_trainings"
    return log_trainings


def log_transform(profile: Profile) -> Transform:
    """Rows stay for ever; a training or a release that is in the log already adds none."""

    @incremental(semantic_version=1, snapshot_inputs=["trainings", "releases"])
    @transform(
        trainings=Input(paths.dataset(profile, "experiment_trainings")),
        releases=Input(paths.dataset(profile, "model_release_config")),
        log=Output(paths.dataset(profile, "experiment_log"), checks=checks_of("experiment_log", profile)),
    )
    def log_experiments(ctx: Any, trainings: Any, releases: Any, log: Any) -> None:
        # a few rows per training so far
        before = log.dataframe("previous", schema=LOG_SCHEMA).toPandas()
        # one row per training so far
        ended = new_experiments(trainings.dataframe().toPandas(), before)
        # a few rows a month
        changed = new_changes(releases.dataframe().toPandas(), joined(before, ended))
        log.write_dataframe(_frame(ctx, joined(ended, changed), LOG_SCHEMA))

    log_experiments.__name__ = f"{profile.profile}_log_experiments"
    return log_experiments


def metrics_transform(profile: Profile) -> Transform:
    @incremental(semantic_version=1, snapshot_inputs=["log"])
    @transform(
        log=Input(paths.dataset(profile, "experiment_log")),
        metrics=Output(paths.dataset(profile, "experiment_metrics"), checks=checks_of("experiment_metrics", profile)),
    )
    def log_metrics(ctx: Any, log: Any, metrics: Any) -> None:
        # one row per experiment
        experiments = log.dataframe().toPandas()
        # the ids of those that have figures
        done = metrics.dataframe("previous", schema=METRICS_SCHEMA).select("experiment_id").distinct().toPandas()
        metrics.write_dataframe(_frame(ctx, new_metrics(experiments, done["experiment_id"]), METRICS_SCHEMA))

    log_metrics.__name__ = f"{profile.profile}_log_metrics"
    return log_metrics


def _frame(ctx: Any, table: pd.DataFrame, schema: Any) -> DataFrame:
    """Nulls as nulls, whatever pandas made of them."""
    plain = table.astype(object).where(table.notna(), None)
    frame: DataFrame = ctx.spark_session.createDataFrame(plain, schema)
    return frame


def for_profile(profile: Profile) -> list[Transform]:
    trained = [training_transform(profile, spec) for spec in profile.every_model]
    return [*trained, trainings_transform(profile), log_transform(profile), metrics_transform(profile)]


TRANSFORMS = [one for profile in shipped_profiles() for one in for_profile(profile)]
